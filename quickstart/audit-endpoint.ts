/** Where the API servers of this machine tell rbac-sync who wrote what: a port with a certificate of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateAuthority } from '#runtime/certificates.ts';

const HOST = '127.0.0.1';
/** Longer than any quickstart runs. */
const DAYS = 90;

/**
 * Makes a certificate that a new authority signed, whose key is kept nowhere, and the settings of rbac-sync
 * that have it listen with it and clusters send their audit events there.
 *
 * @param directory made here; nobody else may read the key in it
 * @param port free, and rbac-sync's from now on
 */
export const createAuditSettings = async (
  directory: string,
  port: number,
): Promise<Readonly<Record<string, string>>> => {
  await mkdir(directory, { mode: 0o700 });
  const authority = await createCertificateAuthority('Hexabase audit');
  const server = await authority.sign({ commonName: 'rbac-sync', hosts: [HOST], days: DAYS });
  const write = async (name: string, pem: string): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, pem, { mode: 0o600 });
    return file;
  };
  return {
    AUDIT_WEBHOOK_URL: `https://${HOST}:${port}`,
    AUDIT_PORT: `${port}`,
    AUDIT_TLS_CERTIFICATE_PATH: await write('tls.crt', server.certificate),
    AUDIT_TLS_PRIVATE_KEY_PATH: await write('tls.key', server.privateKey),
    AUDIT_CERTIFICATE_AUTHORITY_PATH: await write('ca.crt', authority.certificate),
  };
};
