import { describe, expect, it } from 'vitest';
import { readRbacSyncConfig } from './config.ts';

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://hexabase_rbac_sync@localhost/hexabase',
  PORT: '0',
  ISSUER_URL: 'https://issuer.example',
  ENCRYPTION_KEY: Buffer.alloc(32).toString('base64'),
  LOCAL_PROVISIONER_DIRECTORY: '/var/lib/hexabase',
  LOCAL_PROVISIONER_BINARIES: '/usr/local/bin',
};

const AUDITED = { AUDIT_WEBHOOK_URL: 'https://sync.example', AUDIT_PORT: '8443' };

describe('readRbacSyncConfig', () => {
  it('has a default for how often it looks', () => {
    expect(readRbacSyncConfig(ENVIRONMENT).RESYNC_INTERVAL_SECONDS).toBe(300);
  });

  it.each([
    ['an issuer without TLS', { ISSUER_URL: 'http://issuer.example' }],
    ['a short key', { ENCRYPTION_KEY: 'c2hvcnQ=' }],
    ['no interval', { RESYNC_INTERVAL_SECONDS: '0' }],
    ['an audit webhook below a path', { AUDIT_WEBHOOK_URL: 'https://sync.example/audit' }],
    ['an audit webhook with no port', { AUDIT_WEBHOOK_URL: 'https://sync.example' }],
    ['an audit webhook without TLS', AUDITED],
    ['half a certificate', { ...AUDITED, AUDIT_TLS_CERTIFICATE_PATH: '/tls.crt' }],
    ['plain http', { AUDIT_WEBHOOK_URL: 'http://sync.example' }],
  ])('refuses %s', (_name, change) => {
    const [name] = Object.keys(change);
    expect(() => readRbacSyncConfig({ ...ENVIRONMENT, ...change })).toThrow(name);
  });
});
