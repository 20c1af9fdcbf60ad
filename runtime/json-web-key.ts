/** Elliptic-curve keys as settings: JSON Web Keys (RFC 7517) on P-256, the public half apart from the private. */
import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import * as z from 'zod';
import { Json } from './config.ts';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'Must be 32 bytes in base64url.');

const publicMembers = {
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: coordinate,
  y: coordinate,
  kid: z.string().min(1).max(100).exactOptional(),
};

/** Whether node's crypto takes the key: its point lies on the curve. */
const isKey =
  (read: (input: { key: JsonWebKey; format: 'jwk' }) => unknown) =>
  (key: object): boolean => {
    try {
      read({ key: key as JsonWebKey, format: 'jwk' });
      return true;
    } catch {
      return false;
    }
  };

/** A public key within a setting; one with the private member `d` is refused: it must not be there. */
export const PublicKeyMember = z
  .strictObject(publicMembers, 'Must be a public JSON Web Key on P-256, and nothing else.')
  .refine(isKey(createPublicKey), 'Must be a point of the curve P-256.');

/** A public key that is a setting. */
export const PublicJsonWebKey = Json.pipe(PublicKeyMember);

/** A private key. */
export const PrivateJsonWebKey = Json.pipe(
  z.strictObject({ ...publicMembers, d: coordinate }, 'Must be a private JSON Web Key on P-256.'),
).refine(isKey(createPrivateKey), 'Must be a key of the curve P-256.');

/** A public key. */
export type PublicJsonWebKey = z.infer<typeof PublicJsonWebKey>;
/** A private key. */
export type PrivateJsonWebKey = z.infer<typeof PrivateJsonWebKey>;
