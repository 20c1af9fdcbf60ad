import { describe, expect, it } from 'vitest';
import { ConnectorList, ConnectorSettings } from './config.ts';

const oidc = {
  type: 'oidc',
  id: 'corp',
  name: 'Corp',
  issuer: 'https://id.corp.test/realms/staff',
  client_id: 'hexabase',
};
const google = { type: 'google', id: 'google', name: 'Google', client_id: 'c', client_secret: 's' };
const github = { ...google, type: 'github', id: 'github' };

describe('settings of connectors', () => {
  it('are strict about e-mail addresses and ask for little by default', () => {
    expect(ConnectorSettings.parse(oidc)).toEqual({
      ...oidc,
      require_verified_email: true,
      scopes: ['openid', 'profile', 'email'],
      subject_claim: 'sub',
      name_claim: 'name',
      email_claim: 'email',
      email_verified_claim: 'email_verified',
      refresh: false,
      login_hint_domains: [],
    });
    expect(ConnectorSettings.parse(google)).toMatchObject({
      issuer: 'https://accounts.google.com',
      hosted_domains: [],
      refresh: false,
    });
    expect(ConnectorSettings.parse(github)).toMatchObject({
      base_url: 'https://github.com',
      api_url: 'https://api.github.com',
      organizations: [],
      groups: false,
    });
  });

  it('may name a provider on this machine, and write addresses with a slash', () => {
    expect(
      ConnectorSettings.parse({ ...oidc, issuer: 'http://127.0.0.1:8085/realms/x' }),
    ).toBeTruthy();
    expect(
      ConnectorSettings.parse({ ...github, api_url: 'https://github.corp.test/api/v3/' }),
    ).toMatchObject({ api_url: 'https://github.corp.test/api/v3' });
  });

  it.each([
    ['an unknown type', { ...oidc, type: 'saml' }],
    ['an unknown setting', { ...oidc, clientId: 'x' }],
    ['an id with a slash', { ...oidc, id: 'a/b' }],
    ['an id with a ~', { ...oidc, id: 'a~b' }],
    ['http', { ...oidc, issuer: 'http://id.corp.test' }],
    [
      'a host that only begins like this machine',
      { ...oidc, issuer: 'http://localhost.evil.test' },
    ],
    ['a user in the address', { ...oidc, issuer: 'https://user@id.corp.test' }],
    ['a query', { ...oidc, issuer: 'https://id.corp.test?x' }],
    ['no address', { ...oidc, issuer: 'id.corp.test' }],
    ['another scheme', { ...oidc, issuer: 'javascript:alert(1)' }],
    ['two secrets', { ...oidc, client_secret: 'a', client_secret_path: '/b' }],
    ['private_key_jwt without a key', { ...oidc, token_endpoint_auth_method: 'private_key_jwt' }],
    ['a key without private_key_jwt', { ...oidc, private_key_path: '/k' }],
    ['a scope with a space', { ...oidc, scopes: ['openid profile'] }],
    ['a domain with an @', { ...google, hosted_domains: ['@example.com'] }],
    ['a domain with an empty end', { ...google, hosted_domains: ['-.-'] }],
    ['GitHub without a secret', { ...github, client_secret: undefined }],
    ['an organization with a slash', { ...github, organizations: ['acme/team'] }],
  ])('refuse %s', (_name, settings) => {
    expect(ConnectorSettings.safeParse(settings).success).toBe(false);
  });

  it('give each connector an id of its own, and there is at least one', () => {
    expect(ConnectorList.safeParse([oidc, google, github]).success).toBe(true);
    expect(ConnectorList.safeParse([oidc, { ...google, id: 'corp' }]).success).toBe(false);
    expect(ConnectorList.safeParse([]).success).toBe(false);
  });
});
