import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashClientSecret, loadWebClients, WebClientConfigs } from './web-clients.ts';

const client = {
  client_id: 'console',
  client_name: 'Console',
  redirect_uris: ['https://console.example.com/callback'],
  token_endpoint_auth_method: 'none',
};
const secret = { ...client, token_endpoint_auth_method: 'client_secret_basic' };
const accepts = (candidate: object) => WebClientConfigs.safeParse([candidate]).success;

describe('addresses of web clients', () => {
  it.each([
    'https://console.example.com',
    'https://console.example.com/',
    'https://console.example.com/callback?x=1',
    'https://console.example.com:8443/callback',
    'http://localhost:3000/callback',
    'http://127.0.0.1:3000/',
    'http://[::1]:3000/',
  ])('may be %s', (address) => {
    expect(accepts({ ...client, redirect_uris: [address] })).toBe(true);
    expect(accepts({ ...client, post_logout_redirect_uris: [address] })).toBe(true);
    expect(accepts({ ...client, backchannel_logout_uri: address })).toBe(true);
  });

  it.each([
    'http://console.example.com/callback',
    'http://localhost.example.com/',
    'http://127.0.0.1.example.com/',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'custom:/callback',
    '//console.example.com/callback',
    '/callback',
    'https://console.example.com/callback#',
    'https://console.example.com/callback#fragment',
    'https://*.example.com/callback',
    'https://console.example.com/*',
    'https://user@console.example.com/',
    'https://console.example.com@evil.example/',
    'https://:pass@console.example.com/',
    'https://Console.example.com/',
    'HTTPS://console.example.com/',
    'https://console.example.com/a/../callback',
    'https:\\\\console.example.com\\callback',
    'https://console.example.com/call\tback',
    ' https://console.example.com/',
    'https://console.example.com:443/',
    `https://console.example.com/${'a'.repeat(2100)}`,
    '',
  ])('are never %j', (address) => {
    expect(accepts({ ...client, redirect_uris: [address] })).toBe(false);
    expect(accepts({ ...client, post_logout_redirect_uris: [address] })).toBe(false);
    expect(accepts({ ...client, backchannel_logout_uri: address })).toBe(false);
  });
});

describe('web clients', () => {
  it.each([
    ['no redirect address', { ...client, redirect_uris: [] }],
    ['an id of ours', { ...client, client_id: 'hexabase-cli' }],
    ['a workspace’s id', { ...client, client_id: 'ws_01k3v7c4h8e2f9r5t6y7z8a9bc' }],
    ['a member that is not known', { ...client, jwks_uri: 'https://console.example.com/jwks' }],
    ['a secret of a client without one', { ...client, client_secret_sha256: 'f'.repeat(64) }],
    ['a client without its secret', secret],
    ['two secrets', { ...secret, client_secret_path: '/x', client_secret_sha256: 'f'.repeat(64) }],
    ['a secret in the clear', { ...secret, client_secret: 'x'.repeat(32) }],
    ['no way to authenticate', { ...client, token_endpoint_auth_method: undefined }],
    ['private_key_jwt without keys', { ...client, token_endpoint_auth_method: 'private_key_jwt' }],
  ])('are refused with %s', (_name, candidate) => {
    expect(accepts(candidate)).toBe(false);
  });

  it('are refused with a private key among their public ones', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const withKey = (key: object) => ({
      ...client,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key] },
    });
    expect(accepts(withKey(await exportJWK(publicKey)))).toBe(true);
    expect(accepts(withKey(await exportJWK(privateKey)))).toBe(false);
  });

  it('have each an id of its own', () => {
    expect(WebClientConfigs.safeParse([client, client]).success).toBe(false);
  });
});

describe('loadWebClients', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'web-clients-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('keeps the hash of a secret in a file, and not the secret', async () => {
    const value = randomBytes(32).toString('base64');
    const path = join(directory, 'secret');
    await writeFile(path, `${value}\n`);
    const [loaded] = await loadWebClients(
      WebClientConfigs.parse([{ ...secret, client_secret_path: path }]),
    );
    expect(loaded?.metadata.client_secret).toBe(hashClientSecret(value));
    expect(JSON.stringify(loaded)).not.toContain(value);
    expect(JSON.stringify(loaded)).not.toContain(path);
  });

  it('refuses a short secret, and doesn’t tell it', async () => {
    const path = join(directory, 'short');
    await writeFile(path, 'hunter2');
    const loading = loadWebClients(
      WebClientConfigs.parse([{ ...secret, client_secret_path: path }]),
    );
    await expect(loading).rejects.toThrow(/openssl rand/);
    await expect(loading).rejects.not.toThrow(/hunter2/);
  });
});
