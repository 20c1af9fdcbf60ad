import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readIssuerConfig } from './config.ts';

const HASH = `scrypt:N=1024,r=8,p=1:${'s'.repeat(22)}:${'h'.repeat(43)}`;
const account = { subject: 'a', username: 'a', password_hash: HASH };
const connector = { type: 'local', id: 'local', name: 'Local', accounts: [account] };
const client = {
  client_id: 'console',
  client_name: 'Console',
  redirect_uris: ['https://console.example.com/callback'],
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret_sha256: 'f'.repeat(64),
};
const environment = {
  DATABASE_URL: 'postgres://hexabase_issuer@localhost/hexabase',
  NODE_ENV: 'development',
  PORT: '8443',
  ISSUER_URL: 'https://localhost:8443',
  API_AUDIENCE: 'http://localhost:8080/',
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  CONNECTORS: JSON.stringify([connector]),
  TLS_DIRECTORY: '/var/lib/hexabase/tls',
};

describe('readIssuerConfig', () => {
  it('reads the settings', () => {
    expect(readIssuerConfig(environment)).toMatchObject({
      ISSUER_URL: 'https://localhost:8443',
      PORT: 8443,
      CONNECTORS: [connector],
      ALLOW_LOCAL_ACCOUNTS: false,
    });
  });

  it('refuses local accounts in production, unless they are meant', () => {
    const { NODE_ENV: _, ...production } = environment;
    expect(() => readIssuerConfig(production)).toThrow(/ALLOW_LOCAL_ACCOUNTS/);
    expect(readIssuerConfig({ ...production, ALLOW_LOCAL_ACCOUNTS: 'true' }).NODE_ENV).toBe(
      'production',
    );
  });

  it('reads web clients; addresses without TLS not in production', () => {
    const local = { ...client, redirect_uris: ['http://localhost:3000/callback'] };
    const CLIENTS = JSON.stringify([local]);
    expect(readIssuerConfig({ ...environment, CLIENTS }).CLIENTS).toEqual([
      { ...local, post_logout_redirect_uris: [], api: false },
    ]);
    const production = { ...environment, NODE_ENV: 'production', ALLOW_LOCAL_ACCOUNTS: 'true' };
    expect(() => readIssuerConfig({ ...production, CLIENTS })).toThrow(/http:\/\/localhost:3000/);
  });

  it.each([
    ['http', { ISSUER_URL: 'http://localhost:8443' }, /ISSUER_URL/],
    ['an issuer with a path', { ISSUER_URL: 'https://localhost/issuer' }, /ISSUER_URL/],
    ['an issuer with a slash', { ISSUER_URL: 'https://localhost:8443/' }, /ISSUER_URL/],
    ['a short key', { ENCRYPTION_KEY: 'c2hvcnQ=' }, /ENCRYPTION_KEY/],
    ['a Redis that is none', { REDIS_URL: 'http://localhost:6379' }, /REDIS_URL/],
    ['proxies without a network', { TRUSTED_PROXIES: 'proxy.example' }, /TRUSTED_PROXIES/],
    ['no certificate', { TLS_DIRECTORY: '' }, /TLS_CERTIFICATE_PATH/],
    ['a certificate without its key', { TLS_DIRECTORY: '', TLS_CERTIFICATE_PATH: '/x' }, /HTTPS/],
    ['connectors that aren’t JSON', { CONNECTORS: '[' }, /CONNECTORS/],
    ['no connector', { CONNECTORS: '[]' }, /CONNECTORS/],
    [
      'a provider’s word that ends before it is asked again',
      { UPSTREAM_MAX_AGE_SECONDS: '60' },
      /UPSTREAM_REFRESH_SECONDS/,
    ],
    [
      'two connectors of one id',
      { CONNECTORS: JSON.stringify([connector, connector]) },
      /an id of its own/,
    ],
    [
      'a client secret in the clear',
      { CLIENTS: JSON.stringify([{ ...client, client_secret_sha256: 'hunter2' }]) },
      /CLIENTS/,
    ],
    [
      'a password in the clear',
      {
        CONNECTORS: JSON.stringify([
          { ...connector, accounts: [{ ...account, password_hash: 'hunter2' }] },
        ]),
      },
      /password_hash/,
    ],
  ])('refuses %s, and tells no secret', (_name, change, message) => {
    const read = () => readIssuerConfig({ ...environment, ...change });
    expect(read).toThrow(message);
    expect(read).not.toThrow(/hunter2|hhhhhhhh/);
  });
});
