import { describe, expect, it } from 'vitest';
import { findSecrets } from '../../support/secret-scan/find-secrets.ts';

describe('the scanner', () => {
  const secret = 'Zx81_spectrum-QL/c5+lynx';

  it.each([
    ['whole', secret],
    ['a part', `…${secret.slice(3, 19)}…`],
    ['in a query', `GET /?code=${encodeURIComponent(secret)}`],
    ['in JSON', JSON.stringify({ message: `code=${secret}` })],
    ['in hex', Buffer.from(secret).toString('hex')],
    ['in base64', Buffer.from(`user:${secret}`).toString('base64')],
    ['in base64url', Buffer.from(`{"a":"${secret}"}`).toString('base64url')],
  ])('finds a secret %s', (_name, text) => {
    expect(findSecrets(`one\nbefore ${text} after\nthree`, [secret])).toEqual([
      `before ${text} after`,
    ]);
  });

  it('finds a short one, and doesn’t find what isn’t there', () => {
    expect(findSecrets('a\nthe code BCDF-GHJK', ['BCDF-GHJK'])).toEqual(['the code BCDF-GHJK']);
    expect(findSecrets(`${secret.slice(0, 15)} ${secret.slice(9)}`, [secret])).toEqual([]);
  });
});
