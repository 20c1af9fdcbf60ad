/** The issuer's own certificate: given, or signed by an authority that is made at the first start. */
import { readFile } from 'node:fs/promises';
import { type KeyPair, loadCertificateAuthority } from '#runtime/certificates.ts';

const CERTIFICATE_DAYS = 397;

/** Where the certificate comes from. */
export type TlsSettings = {
  readonly ISSUER_URL: string;
  readonly TLS_DIRECTORY?: string | undefined;
  readonly TLS_CERTIFICATE_PATH?: string | undefined;
  readonly TLS_PRIVATE_KEY_PATH?: string | undefined;
};

/** @throws when the files can't be read, or the directory not be written */
export const loadTls = async (settings: TlsSettings): Promise<KeyPair> => {
  const { TLS_CERTIFICATE_PATH, TLS_PRIVATE_KEY_PATH, TLS_DIRECTORY, ISSUER_URL } = settings;
  if (TLS_CERTIFICATE_PATH && TLS_PRIVATE_KEY_PATH) {
    return {
      certificate: await readFile(TLS_CERTIFICATE_PATH, 'utf8'),
      privateKey: await readFile(TLS_PRIVATE_KEY_PATH, 'utf8'),
    };
  }
  if (!TLS_DIRECTORY) throw new Error('TLS_DIRECTORY is not set');
  const authority = await loadCertificateAuthority(TLS_DIRECTORY, 'Hexabase KaaS issuer');
  const hostname = new URL(ISSUER_URL).hostname.replace(/^\[|\]$/g, '');
  return authority.sign({
    commonName: hostname,
    hosts: [...new Set([hostname, 'localhost', '127.0.0.1'])],
    days: CERTIFICATE_DAYS,
  });
};
