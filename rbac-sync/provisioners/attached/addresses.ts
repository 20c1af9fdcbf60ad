/**
 * Where attached clusters may be: their addresses are chosen by tenants, and must not lead us into networks that only
 * we are in. A name is resolved once, and the connection goes to the address that was judged.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { AddressPolicy } from '#runtime/addresses.ts';
import { ProvisioningError } from '../provisioner.ts';

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
