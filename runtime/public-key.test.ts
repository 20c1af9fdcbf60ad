import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { PublicKey } from './public-key.ts';

const makeKey = async (algorithm: string, options = {}) => {
  const pair = await generateKeyPair(algorithm, { extractable: true, ...options });
  return {
    publicKey: await exportJWK(pair.publicKey),
    privateKey: await exportJWK(pair.privateKey),
  };
};

describe('a public key', () => {
  it.each(['ES256', 'RS256', 'EdDSA'])('for %s is taken, with its algorithm', async (alg) => {
    const { publicKey } = await makeKey(alg);
    expect(PublicKey.parse({ ...publicKey, kid: 'a', more: 'x' })).toEqual({
      ...publicKey,
      kid: 'a',
      alg,
    });
  });

  it.each(['ES256', 'RS256', 'EdDSA'])('for %s is refused with its private part', async (alg) => {
    const { privateKey } = await makeKey(alg);
    expect(PublicKey.safeParse(privateKey).error?.issues[0]?.message).toContain('private key');
  });

  it('is refused when it is of another kind, weak, or none', async () => {
    const { publicKey: other } = await makeKey('ES384');
    const { publicKey: good } = await makeKey('ES256');
    const weak = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url') };
    const refused = [
      other,
      weak,
      { kty: 'oct', k: 'AAAA' },
      { ...good, alg: 'HS256' },
      { ...good, x: good.y },
      { ...good, use: 'enc' },
      {},
    ];
    for (const key of refused)
      expect(PublicKey.safeParse(key).success, JSON.stringify(key)).toBe(false);
  });
});
