/** How long an ID token will be, known before it is signed. Pure. */
import type { AccountClaims } from 'oidc-provider';
import { SECONDS_LEFT } from './claims.ts';

/** What decides the length of an ID token. */
export type IdTokenContent = {
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly claims: AccountClaims;
  /** As the client has sent it, of any length. */
  readonly nonce: string | undefined;
};

// As long as what they stand for: hashes of SHA-256, whole and halved, and times in seconds.
const HASH = 'x'.repeat(43);
const HALF_HASH = 'x'.repeat(22);
const TIME = 9_999_999_999;
const ES256_SIGNATURE_BYTES = 64;

/**
 * The length of the ID token in its compact form (RFC 7515 §3.1), signed with ES256; in bytes. A token that
 * lacks something optional, such as `nonce`, is a little shorter.
 */
export const measureIdToken = ({ issuerUrl, clientId, claims, nonce }: IdTokenContent): number => {
  const header = { alg: 'ES256', typ: 'JWT', kid: HASH };
  const payload = {
    ...claims,
    [SECONDS_LEFT]: undefined,
    nonce,
    auth_time: TIME,
    at_hash: HALF_HASH,
    sid: HASH,
    aud: clientId,
    exp: TIME,
    iat: TIME,
    iss: issuerUrl,
  };
  const parts = [jsonBytes(header), jsonBytes(payload), ES256_SIGNATURE_BYTES];
  return parts.reduce((sum, bytes) => sum + Math.ceil((bytes * 4) / 3), parts.length - 1);
};

const jsonBytes = (value: object): number => Buffer.byteLength(JSON.stringify(value));
