import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEncryption, EncryptionKey } from './encryption.ts';

const encryption = createEncryption(randomBytes(32));

describe('seal and open', () => {
  it('are inverses', () => {
    expect(encryption.open('a', encryption.seal('a', 'sécret'))).toBe('sécret');
  });

  it('never seal alike twice', () => {
    expect(encryption.seal('a', 'x')).not.toEqual(encryption.seal('a', 'x'));
  });

  it('refuse another purpose, another key and any changed byte', () => {
    const sealed = encryption.seal('a', 'secret');
    expect(() => encryption.open('b', sealed)).toThrow();
    expect(() => createEncryption(randomBytes(32)).open('a', sealed)).toThrow();
    for (let i = 0; i < sealed.length; i += 1) {
      const damaged = Buffer.from(sealed);
      damaged[i] = (damaged[i] ?? 0) ^ 1;
      expect(() => encryption.open('a', damaged)).toThrow();
    }
  });
});

describe('EncryptionKey', () => {
  it.each(['', 'short', Buffer.alloc(31).toString('base64')])('refuses %j', (text) => {
    expect(EncryptionKey.safeParse(text).success).toBe(false);
  });
});
