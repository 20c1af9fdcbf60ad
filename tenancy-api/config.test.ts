import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const env = {
  DATABASE_URL: 'postgres://hexabase_tenancy_api:x@localhost/hexabase',
  ISSUER_URL: 'https://login.example.com',
  API_AUDIENCE: 'https://api.example.com',
  CURSOR_KEY: Buffer.alloc(32).toString('base64'),
};

describe('readConfig', () => {
  it('needs four settings and listens on loopback unless told otherwise', () => {
    expect(readConfig(env)).toMatchObject({ HOST: '127.0.0.1', PORT: 8080, LOG_LEVEL: 'info' });
  });

  it.each([
    ['ISSUER_URL', 'http://login.example.com'],
    ['ISSUER_URL', 'https://login.example.com/'],
    ['ISSUER_URL', 'https://login.example.com/tenant'],
    ['API_AUDIENCE', 'api'],
    ['CURSOR_KEY', 'c2hvcnQ='],
    ['DATABASE_URL', 'mysql://x'],
  ])('refuses %s=%s', (key, value) => {
    expect(() => readConfig({ ...env, [key]: value })).toThrow(key);
  });
});
