/** Which address a request comes from, when proxies stand before the issuer. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Middleware } from 'koa';
import * as z from 'zod';

// Nobody has more proxies than this; a longer header is padding.
const MAX_HOPS = 32;

const CIDR = /^([\d.]+|[\da-fA-F:.]+)\/(\d{1,3})$/;

/** TRUSTED_PROXIES: CIDRs, comma-separated; plain addresses are taken as networks of one. */
export const TrustedProxies = z.string().transform((text, context): readonly string[] => {
  const cidrs = text.split(',').map((each) => each.trim());
  const complete = cidrs.map((each) =>
    isIP(each) === 0 ? each : `${each}/${isIPv4(each) ? 32 : 128}`,
  );
  for (const cidr of complete) {
    const [, address = '', bits = ''] = CIDR.exec(cidr) ?? [];
    if (isIP(address) === 0 || Number(bits) > (isIPv4(address) ? 32 : 128)) {
      context.addIssue({ code: 'custom', message: 'Must be CIDRs such as 10.0.0.0/8,fd00::/8.' });
      return z.NEVER;
    }
  }
  return complete;
});

/** What an address is read from. */
export type AddressSources = {
  /** Of the socket. */
  readonly peer: string | undefined;
  /** The header X-Forwarded-For, all of its lines joined. */
  readonly forwardedFor: string;
};

/**
 * Makes the rule by which a request's address is read: the socket's, unless that is a trusted proxy's; then
 * the rightmost entry of X-Forwarded-For that isn't. What stands left of it anyone may have written.
 * Behind an entry that is no address nothing is believed. IPv4 in IPv6 is IPv4; ports and zones are left out.
 *
 * @param trustedProxies CIDRs
 */
export const createClientAddress = (
  trustedProxies: readonly string[],
): ((sources: AddressSources) => string) => {
  const proxies = toBlockList(trustedProxies);
  const isProxy = (address: string) => proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  return ({ peer, forwardedFor }) => {
    let nearest = toAddress(peer ?? '') ?? '';
    const hops = forwardedFor === '' ? [] : forwardedFor.split(',').slice(-MAX_HOPS);
    while (nearest !== '' && isProxy(nearest)) {
      const next = toAddress(hops.pop() ?? '');
      if (next === undefined) break;
      nearest = next;
    }
    return nearest;
  };
};

/** What limits count by: the address, or of IPv6 its /64, which is what one household or host gets. */
export const toNetwork = (address: string): string =>
  isIP(address) === 6 ? toPrefix(address, 64) : address;

/** What one attacker may well have all of: of IPv4 the /24, of IPv6 the /48, which providers hand out. */
export const toSite = (address: string): string => {
  if (isIP(address) === 6) return toPrefix(address, 48);
  return isIPv4(address) ? `${address.split('.').slice(0, 3).join('.')}.0/24` : address;
};

/** The network of an IPv6 address. @param bits a multiple of 16 */
const toPrefix = (address: string, bits: number): string => {
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? Array(8 - left.length - right.length).fill('0') : [];
  const groups = [...left, ...zeros, ...right].slice(0, bits / 16);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '').toLowerCase()).join(':')}::/${bits}`;
};

/** Lets `ctx.ip` be the address of {@link createClientAddress}. */
export const setClientAddress = (trustedProxies: readonly string[]): Middleware => {
  const addressOf = createClientAddress(trustedProxies);
  return (ctx, next) => {
    ctx.request.ip = addressOf({
      peer: ctx.socket.remoteAddress,
      forwardedFor: ctx.get('x-forwarded-for'),
    });
    return next();
  };
};

const toAddress = (entry: string): string | undefined => {
  const text = entry.trim().replace(/^"(.*)"$/, '$1');
  const bare =
    /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  const address = bare.replace(/%[\w.-]+$/, '').toLowerCase();
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  return isIP(address) === 0 ? undefined : address;
};

const toBlockList = (cidrs: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
};
