import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTokenCache, defaultCacheDirectory } from './token-cache.ts';

const account = { issuer: 'https://issuer.example/', clientId: 'ws_a' };
const tokens = {
  idToken: 'a.b.c',
  idTokenExpiresAt: 1,
  accessToken: 'x',
  accessTokenExpiresAt: 2,
  refreshToken: 'r',
};
const emptyDirectory = () => join(mkdtempSync(join(tmpdir(), 'token-cache-')), 'tokens');

describe('createTokenCache', () => {
  it('gives back what was written, for that account only', async () => {
    const cache = createTokenCache(emptyDirectory());
    await expect(cache.read(account)).resolves.toBeUndefined();
    await cache.write(account, tokens);
    await expect(cache.read(account)).resolves.toEqual(tokens);
    await expect(cache.read({ ...account, clientId: 'ws_b' })).resolves.toBeUndefined();
    await expect(cache.read({ ...account, issuer: 'https://x/' })).resolves.toBeUndefined();
  });

  it('keeps tokens from other users of the machine', async () => {
    const directory = emptyDirectory();
    await createTokenCache(directory).write(account, tokens);
    const [file = ''] = readdirSync(directory);
    expect(statSync(directory).mode & 0o077).toBe(0);
    expect(statSync(join(directory, file)).mode & 0o077).toBe(0);
  });

  it('takes a damaged file for none', async () => {
    const directory = emptyDirectory();
    const cache = createTokenCache(directory);
    await cache.write(account, tokens);
    writeFileSync(join(directory, readdirSync(directory)[0] ?? ''), '{"idToken":');
    await expect(cache.read(account)).resolves.toBeUndefined();
  });

  it('survives many writers at once', async () => {
    const cache = createTokenCache(emptyDirectory());
    await Promise.all(Array.from({ length: 20 }, () => cache.write(account, tokens)));
    await expect(cache.read(account)).resolves.toEqual(tokens);
  });
});

describe('defaultCacheDirectory', () => {
  it('follows XDG_CACHE_HOME', () => {
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: '/x' })).toBe('/x/hexabase/tokens');
  });
});
