import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { PrivateJsonWebKey, PublicJsonWebKey } from './json-web-key.ts';

const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const open = await exportJWK(publicKey);
const secret = await exportJWK(privateKey);

describe('PublicJsonWebKey', () => {
  it('is a key on P-256', () => {
    expect(PublicJsonWebKey.parse(JSON.stringify({ ...open, kid: 'a' }))).toEqual({
      ...open,
      kid: 'a',
    });
  });

  it.each([
    ['a private key', secret],
    ['another curve', { ...open, crv: 'P-384' }],
    ['a point beside the curve', { ...open, x: open.y }],
    ['a key for HMAC', { kty: 'oct', k: 'AAAA' }],
  ])('refuses %s, and does not repeat it', (_name, key) => {
    const result = PublicJsonWebKey.safeParse(JSON.stringify(key));
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).not.toContain(secret.d);
  });

  it('refuses what is no JSON', () => {
    expect(PublicJsonWebKey.safeParse('{').success).toBe(false);
  });
});

describe('PrivateJsonWebKey', () => {
  it('is a key on P-256', () => {
    expect(PrivateJsonWebKey.parse(JSON.stringify(secret))).toEqual(secret);
  });

  it('refuses a public key', () => {
    expect(PrivateJsonWebKey.safeParse(JSON.stringify(open)).success).toBe(false);
  });
});
