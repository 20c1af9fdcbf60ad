/**
 * Sealing of secrets at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce, bound to what the
 * secret is for, so that one row's ciphertext is useless in another. Keys are a ring: the first one seals,
 * and what is sealed names its key, so that all of them open.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { unlessMissing } from './config.ts';

// Before there were rings what was sealed named no key.
const VERSION_WITHOUT_KEY = 1;
const VERSION = 2;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const KEY_WORDS = 'Must be 32 random bytes in base64: openssl rand -base64 32';

/** A key of 32 random bytes in base64 (`openssl rand -base64 32`). */
export const EncryptionKey = z
  .base64({ error: unlessMissing(KEY_WORDS) })
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, KEY_WORDS);

/** ENCRYPTION_KEY: one key, or several separated by commas, of which the first seals and all open. */
export const EncryptionKeys = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(z.tuple([EncryptionKey], EncryptionKey));
export type EncryptionKeys = readonly [Buffer, ...Buffer[]];

/** Seals and opens secrets; derives keys for other uses. */
export type Encryption = {
  /** @param purpose what the secret is, e.g. `signing-key:KID`; needed again to open it */
  readonly seal: (purpose: string, plaintext: string) => Buffer;
  /** @throws when the sealed bytes are damaged, of a key that isn't in the ring, or for another purpose */
  readonly open: (purpose: string, sealed: Buffer) => string;
  /** What everything begins with that the first key has sealed. */
  readonly prefix: Buffer;
  /** A 32-byte key for one use, of the first key, by HKDF (RFC 5869). */
  readonly deriveKey: (use: string) => Buffer;
  /** The same of every key, the first key's first. */
  readonly deriveKeys: (use: string) => readonly DerivedKey[];
};

/** A key for one use, and the name of the one that it comes from; the name tells nothing of the key. */
export type DerivedKey = { readonly id: string; readonly key: Buffer };

/** @param ringOrKey 32 bytes each, the one that seals first; or the only one */
export const createEncryption = (ringOrKey: EncryptionKeys | Buffer): Encryption => {
  const keys = Buffer.isBuffer(ringOrKey) ? ([ringOrKey] as const) : ringOrKey;
  const ring = keys.map((key) => ({
    id: derive(key, 'key-id').subarray(0, KEY_ID_BYTES),
    sealingKey: derive(key, 'seal'),
  }));
  const [first] = ring;
  if (!first) throw new Error('there is no key to seal with');
  const prefix = Buffer.concat([Buffer.of(VERSION), first.id]);
  return {
    prefix,
    deriveKey: (use) => derive(keys[0], use),
    deriveKeys: (use) =>
      keys.map((key, at) => ({
        id: ring[at]?.id.toString('base64url') ?? '',
        key: derive(key, use),
      })),
    seal: (purpose, plaintext) =>
      Buffer.concat([prefix, encrypt(first.sealingKey, purpose, plaintext)]),
    open: (purpose, sealed) => {
      if (sealed[0] === VERSION_WITHOUT_KEY) return openByAny(ring, purpose, sealed.subarray(1));
      const id = sealed.subarray(1, 1 + KEY_ID_BYTES);
      const entry = sealed[0] === VERSION ? ring.find((each) => each.id.equals(id)) : undefined;
      if (!entry) {
        throw new Error(
          'not sealed with a key of ENCRYPTION_KEY; add the key that it was sealed with',
        );
      }
      return decrypt(entry.sealingKey, purpose, sealed.subarray(prefix.length));
    },
  };
};

const derive = (key: Buffer, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', use, 32));

const encrypt = (key: Buffer, purpose: string, plaintext: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
};

/** @throws when it isn't by this key for this purpose */
const decrypt = (key: Buffer, purpose: string, sealed: Buffer): string => {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(purpose))
    .setAuthTag(tag);
  const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
};

type RingEntry = { readonly sealingKey: Buffer };

const openByAny = (ring: readonly RingEntry[], purpose: string, sealed: Buffer): string => {
  let reason: unknown;
  for (const { sealingKey } of ring) {
    try {
      return decrypt(sealingKey, purpose, sealed);
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
};
