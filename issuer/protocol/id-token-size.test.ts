import { generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { measureIdToken } from './id-token-size.ts';

const issuerUrl = 'https://issuer.example.com';
const clientId = 'ws_01h455vb4pex5vsknk084sn02q';
const hash = 'A'.repeat(43);

describe('measureIdToken', () => {
  it.each([
    ['no groups', { sub: 'u', name: 'Alice', groups: [] }, undefined],
    ['a nonce', { sub: 'u', name: 'Alice', groups: ['a'] }, 'n'.repeat(700)],
    ['names that aren’t ASCII', { sub: 'u', name: '山田 “太郎” \\ 🎌', groups: ['a'] }, 'n'],
    [
      'many groups',
      { sub: 'u', name: 'A', groups: Array.from({ length: 99 }, (_, i) => `g${i}`) },
      'n',
    ],
  ])('is the length of the signed token, with %s', async (_name, claims, nonce) => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({
      ...claims,
      ...(nonce && { nonce }),
      auth_time: 1_800_000_000,
      at_hash: hash.slice(0, 22),
      sid: hash,
      aud: clientId,
      exp: 1_800_000_120,
      iat: 1_800_000_000,
      iss: issuerUrl,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: hash })
      .sign(privateKey);
    expect(measureIdToken({ issuerUrl, clientId, claims, nonce })).toBe(token.length);
  });

  it('doesn’t count what says only how long the groups hold', () => {
    const claims = { sub: 'u' };
    const measure = (more: object) =>
      measureIdToken({ issuerUrl, clientId, claims: { ...claims, ...more }, nonce: undefined });
    expect(measure({ seconds_left: 17 })).toBe(measure({}));
  });
});
