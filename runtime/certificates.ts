/**
 * A certificate authority and the certificates it signs (X.509, RFC 5280; ECDSA P-256), for the
 * embedded defaults: the issuer's HTTPS on a machine without cert-manager, and the control planes of
 * the local provisioner.
 */
import 'reflect-metadata';
import { randomUUID, webcrypto } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const BACKDATE_MS = 3_600_000;
/** Of a key in PKCS #8 (RFC 7468 §10). */
const KEY_LABEL = 'PRIVATE KEY';

/** A certificate with its private key, both PEM. */
export type KeyPair = { readonly certificate: string; readonly privateKey: string };

/** A certificate authority that can sign. */
export type CertificateAuthority = KeyPair & {
  /** Signs a certificate for a server (names it answers to) or a client (its organizations). */
  readonly sign: (request: CertificateRequest) => Promise<KeyPair>;
};

/** What a certificate is for. */
export type CertificateRequest = {
  readonly commonName: string;
  readonly organization?: string;
  /** DNS names and IP addresses: makes it a server certificate; without, a client certificate. */
  readonly hosts?: readonly string[];
  readonly days: number;
};

/**
 * The authority kept in a directory (`ca.pem`, certificate and key), made there on first use. Two processes that
 * start at once end with the same one.
 */
export const loadCertificateAuthority = async (
  directory: string,
  commonName: string,
): Promise<CertificateAuthority> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'ca.pem');
  const draft = `${file}.${randomUUID()}`;
  const made = await createAuthority(commonName);
  await writeFile(draft, `${made.certificate}\n${made.privateKey}\n`, { mode: 0o600 });
  try {
    // Unlike a rename, a link fails when the name is taken: whoever comes first wins, whole.
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return withSign(splitPem(await readFile(file, 'utf8')));
  } finally {
    await rm(draft);
  }
};

/** A new authority that is kept nowhere. */
export const createCertificateAuthority = async (
  commonName: string,
): Promise<CertificateAuthority> => withSign(await createAuthority(commonName));

/** An authority's file in its parts: the certificate, and the key that is nobody else's. */
export const splitPem = (text: string): KeyPair => {
  const end = text.indexOf(`-----BEGIN ${KEY_LABEL}-----`);
  return { certificate: text.slice(0, end).trim(), privateKey: text.slice(end).trim() };
};

const generateKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const toPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), KEY_LABEL);

const createAuthority = async (commonName: string): Promise<KeyPair> => {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    notBefore: new Date(Date.now() - BACKDATE_MS),
    notAfter: new Date(Date.now() + 3650 * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: await toPem(keys.privateKey) };
};

const withSign = (authority: KeyPair): CertificateAuthority => ({
  ...authority,
  sign: (request) => signCertificate(authority, request),
});

const signCertificate = async (
  authority: KeyPair,
  { commonName, organization, hosts, days }: CertificateRequest,
): Promise<KeyPair> => {
  const keys = await generateKeys();
  const issuer = new X509Certificate(authority.certificate);
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }, ...(organization ? [{ O: [organization] }] : [])],
    issuer: issuer.subject,
    notBefore: new Date(Date.now() - BACKDATE_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey(
      'pkcs8',
      PemConverter.decodeFirst(authority.privateKey),
      ALGORITHM,
      false,
      ['sign'],
    ),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        hosts ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
      ]),
      ...(hosts
        ? [
            new SubjectAlternativeNameExtension(
              hosts.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value })),
            ),
          ]
        : []),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: await toPem(keys.privateKey) };
};
