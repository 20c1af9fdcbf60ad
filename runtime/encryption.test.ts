import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEncryption, EncryptionKey, EncryptionKeys } from './encryption.ts';

const encryption = createEncryption([randomBytes(32)]);

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
    expect(() => createEncryption([randomBytes(32)]).open('a', sealed)).toThrow();
    for (let i = 0; i < sealed.length; i += 1) {
      const damaged = Buffer.from(sealed);
      damaged[i] = (damaged[i] ?? 0) ^ 1;
      expect(() => encryption.open('a', damaged)).toThrow();
    }
  });
});

describe('a ring of keys', () => {
  const [one, two, three] = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;
  const sealedByOne = createEncryption(one).seal('a', 'secret');

  it('opens what any of its keys has sealed, and seals with the first', () => {
    const ring = createEncryption([two, one]);
    expect(ring.open('a', sealedByOne)).toBe('secret');
    expect(createEncryption(two).open('a', ring.seal('a', 'secret'))).toBe('secret');
  });

  it('refuses a key that was taken out, and says so', () => {
    const ring = createEncryption([two, three]);
    expect(() => ring.open('a', sealedByOne)).toThrow('not sealed with a key of ENCRYPTION_KEY');
  });

  it('opens what was sealed when nothing named its key', () => {
    // Sealed by the release before rings, with a key of 32 bytes of 1, for the purpose "old".
    const old = Buffer.from('ARxMQHgeazs5Y+peCmlsTmkEMNULAKo3iuME8jZKTw3gICQ=', 'base64');
    expect(createEncryption([two, Buffer.alloc(32, 1)]).open('old', old)).toBe('secret');
    expect(() => createEncryption([two, three]).open('old', old)).toThrow();
  });

  it('names what its first key has sealed', () => {
    const ring = createEncryption([two, one]);
    const isOfFirst = (sealed: Buffer) =>
      sealed.subarray(0, ring.prefix.length).equals(ring.prefix);
    expect(isOfFirst(ring.seal('a', 'x'))).toBe(true);
    expect(isOfFirst(sealedByOne)).toBe(false);
  });

  it('derives of each key what the key alone derives', () => {
    const derived = createEncryption([two, one]).deriveKeys('cookies');
    const alone = [two, one].map((key) => createEncryption(key).deriveKeys('cookies')[0]);
    expect(derived).toEqual(alone);
    expect(createEncryption([two, one]).deriveKey('cookies')).toEqual(derived[0]?.key);
    expect(derived[0]?.id).not.toBe(derived[1]?.id);
  });
});

describe('EncryptionKeys', () => {
  it('are one key, or several', () => {
    const texts = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64'));
    expect(EncryptionKeys.parse(texts[0]).map(String)).toHaveLength(1);
    expect(EncryptionKeys.parse(texts.join(', ')).map((key) => key.toString('base64'))).toEqual(
      texts,
    );
  });

  it.each(['', ',', 'short', `${randomBytes(32).toString('base64')},`])('refuse %j', (text) => {
    expect(EncryptionKeys.safeParse(text).success).toBe(false);
  });
});

describe('EncryptionKey', () => {
  it.each(['', 'short', Buffer.alloc(31).toString('base64')])('refuses %j', (text) => {
    expect(EncryptionKey.safeParse(text).success).toBe(false);
  });
});
