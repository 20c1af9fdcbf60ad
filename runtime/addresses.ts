/**
 * Which addresses we connect to when a tenant has chosen where: none in networks that only we are in.
 */
import { BlockList, isIP } from 'node:net';
import * as z from 'zod';

/** A setting that names networks: CIDRs (RFC 4632, RFC 4291), separated by commas. */
export const Cidrs = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()])));

/** Whether we may connect to an IP address. */
export type AddressPolicy = (address: string) => boolean;

/** Special-purpose addresses (RFC 6890 and its registries) that are not on the public internet, and one of Azure's. */
const CLOSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Azure answers its own machines there, with what is theirs.
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Of IPv6 only the global unicast space is open, without what leads back into IPv4 or to examples. */
const OPEN_V6 = ['2000::/3'];
const CLOSED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** @param allowed CIDRs that may be used although they are not public */
export const createAddressPolicy = (allowed: readonly string[]): AddressPolicy => {
  const exceptions = toBlockList(allowed);
  const [closed4, open6, closed6] = [CLOSED_V4, OPEN_V6, CLOSED_V6].map(toBlockList) as [
    BlockList,
    BlockList,
    BlockList,
  ];
  return (address) => {
    const family = isIP(address);
    if (family === 0) return false;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (exceptions.check(address, type)) return true;
    if (family === 4) return !closed4.check(address, 'ipv4');
    return open6.check(address, 'ipv6') && !closed6.check(address, 'ipv6');
  };
};

const toBlockList = (cidrs: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
};
