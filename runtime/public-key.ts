/** Public keys of others, as JSON Web Keys (RFC 7517) of the kinds that we verify with. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import * as z from 'zod';

const text = z.string().regex(/^[A-Za-z0-9_-]{1,1100}$/, 'Must be base64url.');
const known = {
  kid: z.string().max(256).exactOptional(),
  use: z.literal('sig').exactOptional(),
  key_ops: z.array(z.literal('verify')).max(1).exactOptional(),
};
const LEAST_MODULUS_BITS = 2048;
const MOST_MODULUS_BITS = 8192;
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const KINDS = [
  z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: text,
    y: text,
    alg: z.literal('ES256').default('ES256'),
    ...known,
  }),
  z.object({
    kty: z.literal('RSA'),
    n: text,
    e: text,
    alg: z.literal('RS256').default('RS256'),
    ...known,
  }),
  z.object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: text,
    alg: z.literal('EdDSA').default('EdDSA'),
    ...known,
  }),
] as const;

const explain = (jwk: Readonly<Record<string, unknown>>): string | undefined => {
  if (PRIVATE.some((member) => member in jwk)) {
    return 'This holds the private key, which must stay with its owner: consider it known, and make another.';
  }
  try {
    const { modulusLength } =
      createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails ?? {};
    const isWeak =
      modulusLength !== undefined &&
      (modulusLength < LEAST_MODULUS_BITS || modulusLength > MOST_MODULUS_BITS);
    return isWeak
      ? `An RSA key has ${LEAST_MODULUS_BITS} to ${MOST_MODULUS_BITS} bits.`
      : undefined;
  } catch {
    return 'This is no valid key.';
  }
};

const members = z.record(z.string(), z.unknown()).superRefine((jwk, context) => {
  const message = explain(jwk);
  if (message !== undefined) context.addIssue({ code: 'custom', message, continue: false });
});

/** A public key, reduced to what we know of it, with its algorithm. One that holds a private part is refused. */
export const PublicKey = members.pipe(
  z.union(KINDS, 'Must be a key on P-256 for ES256, of RSA for RS256, or Ed25519.'),
);

/** A public key. */
export type PublicKey = z.infer<typeof PublicKey>;
