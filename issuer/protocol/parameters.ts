/** How long the parameters of an authorization request may be: they are stored before anyone has signed in. */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';

/** The most characters of `state`, in which clients keep where they were. */
export const MAX_STATE = 2_048;
/** The most characters of any other. */
export const MAX_PARAMETER = 1_024;

// Signed by us, so that it is as long as we have made it.
const OURS: ReadonlySet<string> = new Set(['id_token_hint']);

/**
 * Refuses parameters that are too long.
 *
 * @throws InvalidRequest (RFC 6749 §4.1.2.1, RFC 8628 §3.2)
 */
export const refuseLongParameters = ({ oidc }: KoaContextWithOIDC): void => {
  for (const [name, value] of Object.entries(oidc.params ?? {})) {
    const limit = name === 'state' ? MAX_STATE : MAX_PARAMETER;
    if (OURS.has(name) || lengthOf(value) <= limit) continue;
    throw new errors.InvalidRequest(`${name} must not be longer than ${limit} characters`);
  }
};

/** `resource` may come several times (RFC 8707 §2). */
const lengthOf = (value: unknown): number =>
  Array.isArray(value)
    ? value.reduce((sum: number, each) => sum + lengthOf(each), 0)
    : typeof value === 'string'
      ? value.length
      : 0;
