/**
 * Kubernetes quantities ("500m", "2Gi", "1e3"), compared by value: the API server rewrites them to
 * a canonical form, so text comparison would see drift where there is none.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
import * as z from 'zod';

const QUANTITY =
  /^([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d{1,2})?$/;

/** Longer than any canonical form: a cluster of others may say anything, and reading it must stay cheap. */
const LONGEST = 100;

const DECIMAL_EXPONENT: Record<string, number> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_SHIFT: Record<string, bigint> = {
  Ki: 10n,
  Mi: 20n,
  Gi: 30n,
  Ti: 40n,
  Pi: 50n,
  Ei: 60n,
};

/** A quantity that Kubernetes accepts, not negative. */
export const Quantity = z
  .string()
  .max(32, { abort: true })
  .meta({ pattern: QUANTITY.source.replace('([+-]?)', '\\+?') })
  .refine((text) => {
    const nanos = parseQuantity(text);
    return nanos !== undefined && nanos >= 0n;
  }, 'Must be a Kubernetes quantity, such as "500m", "2" or "4Gi".');

/** The value of a quantity in units of 10⁻⁹, rounded up as Kubernetes does; `undefined` if it isn't one. */
export const parseQuantity = (text: string): bigint | undefined => {
  if (text.length > LONGEST) return undefined;
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const [, sign, number = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const digits = BigInt(`${whole}${fraction}` || '0');
  const shift = BINARY_SHIFT[suffix];
  const exponent = shift === undefined ? decimalExponent(suffix) : 0;
  const nanos = scale(
    shift === undefined ? digits : digits << shift,
    exponent + 9 - fraction.length,
  );
  return sign === '-' ? -nanos : nanos;
};

/** Whether two quantities have the same value; texts that aren't quantities are equal only as texts. */
export const equalQuantities = (a: string, b: string): boolean =>
  a === b || (parseQuantity(a) !== undefined && parseQuantity(a) === parseQuantity(b));

/** Whether `a` is at most `b`; false when either isn't a quantity. */
export const atMost = (a: string, b: string): boolean => {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left !== undefined && right !== undefined && left <= right;
};

const decimalExponent = (suffix: string): number =>
  DECIMAL_EXPONENT[suffix] ?? (suffix === '' ? 0 : Number(suffix.slice(1)));

const scale = (value: bigint, exponent: number): bigint => {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return (value + divisor - 1n) / divisor;
};
