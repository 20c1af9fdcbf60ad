/**
 * Where attached clusters may be: their addresses are chosen by tenants, and must not lead us into networks that only
 * we are in. A name is resolved once, and the connection goes to the address that was judged.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { ProvisioningError } from '../provisioner.ts';

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

/**
 * The address to connect to.
 *
 * @param server `https://host[:port]`
 * @throws ProvisioningError when the name is unknown, or any of its addresses is not allowed
 */
export const resolveServer = async (server: string, isAllowed: AddressPolicy): Promise<string> => {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  if (!addresses.every(isAllowed)) {
    throw new ProvisioningError(
      'AddressNotAllowed',
      'The server of the kubeconfig is at a private, local or reserved address. Use one on the public internet, or ask the operator of this platform to allow its network (ATTACHED_ALLOWED_CIDRS).',
    );
  }
  return addresses[0] as string;
};

const resolve = async (host: string): Promise<string[]> => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new ProvisioningError(
      'Unreachable',
      'The host of the kubeconfig’s server has no address: its name can’t be resolved.',
      { cause: error },
    );
  }
};
