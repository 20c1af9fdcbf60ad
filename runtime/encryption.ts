/**
 * Sealing of secrets at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce, bound to what the
 * secret is for, so that one row's ciphertext is useless in another.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import * as z from 'zod';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** ENCRYPTION_KEY: 32 random bytes in base64 (`openssl rand -base64 32`). */
export const EncryptionKey = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'Must be 32 random bytes in base64: openssl rand -base64 32');

/** Seals and opens secrets; derives keys for other uses. */
export type Encryption = {
  /** @param purpose what the secret is, e.g. `signing-key:KID`; needed again to open it */
  readonly seal: (purpose: string, plaintext: string) => Buffer;
  /** @throws when the sealed bytes are damaged, of another key, or for another purpose */
  readonly open: (purpose: string, sealed: Buffer) => string;
  /** A 32-byte key for one use, by HKDF (RFC 5869). */
  readonly deriveKey: (use: string) => Buffer;
};

/** @param key 32 bytes */
export const createEncryption = (key: Buffer): Encryption => {
  const deriveKey = (use: string) => Buffer.from(hkdfSync('sha256', key, '', use, 32));
  const sealingKey = deriveKey('seal');
  return {
    deriveKey,
    seal: (purpose, plaintext) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
    },
    open: (purpose, sealed) => {
      if (sealed[0] !== VERSION) throw new Error('not a sealed secret');
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
      const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, nonce, {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(purpose))
        .setAuthTag(tag);
      const body = sealed.subarray(1 + NONCE_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
  };
};
