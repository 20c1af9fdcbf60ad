/** Web clients: how each of them authenticates, and which tokens it gets. */
import { exportJWK, generateKeyPair } from 'jose';
import * as openid from 'openid-client';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_SCOPE } from '../../../issuer/protocol/resources.ts';
import { hashClientSecret } from '../../../issuer/protocol/web-clients.ts';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { SignInRefusedError } from '../../support/oidc-client.ts';
import { createWebClient, type WebClientOptions } from '../../support/web-client.ts';

const SECRET = 'a secret that is long enough to be one';
const REDIRECT_URI = 'https://console.example.com/callback';
const ALICE = { username: 'alice', password: TEST_PASSWORD };
const registered = (client_id: string) => ({
  client_id,
  client_name: client_id,
  redirect_uris: [REDIRECT_URI],
});

let stack: AsyncDisposableStack;
let issuer: TestIssuer;
let agent: Agent;
let keys: Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  keys = await generateKeyPair('ES256', { extractable: true });
  const { kty, crv, x, y } = await exportJWK(keys.publicKey);
  const database = stack.use(await createTestDatabase());
  const client_secret_sha256 = hashClientSecret(SECRET);
  issuer = stack.use(
    await startTestIssuer(database, [{ username: 'alice', name: 'Alice' }], {
      clients: [
        {
          ...registered('with-basic'),
          token_endpoint_auth_method: 'client_secret_basic',
          client_secret_sha256,
        },
        {
          ...registered('with-post'),
          token_endpoint_auth_method: 'client_secret_post',
          client_secret_sha256,
          api: true,
        },
        {
          ...registered('with-key'),
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [{ kty: kty as 'EC', crv: crv as 'P-256', x: x ?? '', y: y ?? '' }] },
        },
        { ...registered('with-nothing'), token_endpoint_auth_method: 'none' },
      ],
    }),
  );
  agent = new Agent({ connect: { ca: issuer.ca } });
  stack.defer(() => agent.close());
});
afterAll(() => stack.disposeAsync());

const signIn = async (
  clientId: string,
  auth?: WebClientOptions['auth'],
  parameters?: Readonly<Record<string, string>>,
) => {
  await using visitor = createPageVisitor(issuer.ca);
  await using client = await createWebClient({
    issuer,
    clientId,
    redirectUri: REDIRECT_URI,
    ...(auth && { auth }),
  });
  return await client.signIn(visitor, ALICE, parameters);
};

describe('a web client', () => {
  it.each([
    ['with-basic', openid.ClientSecretBasic(SECRET)],
    ['with-post', openid.ClientSecretPost(SECRET)],
    ['with-nothing', openid.None()],
  ])('%s signs people in, without a page to confirm', async (clientId, auth) => {
    const tokens = await signIn(clientId, auth, { scope: 'openid profile email' });
    expect(tokens.claims()).toMatchObject({
      aud: clientId,
      name: 'Alice',
      sid: expect.any(String),
    });
    expect(tokens.claims()).not.toHaveProperty('groups');
  });

  it('with a key of its own signs its requests', async () => {
    const tokens = await signIn('with-key', openid.PrivateKeyJwt(keys.privateKey));
    expect(tokens.claims()).toMatchObject({ aud: 'with-key' });
  });

  it.each([
    ['a wrong secret', 'with-basic', openid.ClientSecretBasic(`${SECRET}!`)],
    ['the hash of its secret', 'with-basic', openid.ClientSecretBasic(hashClientSecret(SECRET))],
    ['a wrong secret in the form', 'with-post', openid.ClientSecretPost(`${SECRET}!`)],
    ['no secret', 'with-post', openid.None()],
  ])('gets nothing with %s', async (_name, clientId, auth) => {
    await expect(signIn(clientId, auth)).rejects.toMatchObject({ status: 401 });
  });

  it('gets nothing with the key of somebody else', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const attempt = signIn('with-key', openid.PrivateKeyJwt(privateKey));
    await expect(attempt).rejects.toMatchObject({ status: 401 });
  });

  it('gets no code without PKCE, with a secret or without', async () => {
    for (const clientId of ['with-basic', 'with-nothing']) {
      await using visitor = createPageVisitor(issuer.ca);
      const parameters = { redirect_uri: REDIRECT_URI, response_type: 'code', scope: 'openid' };
      const query = new URLSearchParams({ client_id: clientId, ...parameters });
      const { url } = await visitor.open(`${issuer.issuerUrl}/auth?${query}`);
      expect(url.searchParams.get('error')).toBe('invalid_request');
      expect(url.searchParams.get('code')).toBeNull();
    }
  });

  it('is answered at its own addresses only', async () => {
    const attempt = signIn('with-nothing', undefined, { redirect_uri: `${REDIRECT_URI}/more` });
    await expect(attempt).rejects.toBeInstanceOf(SignInRefusedError);
  });

  it('gets tokens for the API when that is allowed, and else none', async () => {
    const allowed = await signIn('with-post', openid.ClientSecretPost(SECRET), {
      resource: issuer.apiAudience,
      scope: `openid ${API_SCOPE}`,
    });
    expect(allowed.scope?.split(' ')).toContain(API_SCOPE);
    const refused = signIn('with-nothing', undefined, { resource: issuer.apiAudience });
    await expect(refused).rejects.toMatchObject({
      page: { url: { search: expect.stringContaining('error=invalid_target') } },
    });
  });
});

describe('the token endpoint', () => {
  it.each([
    ['with-nothing', 'https://console.example.com', 'https://console.example.com'],
    ['with-nothing', 'https://evil.example', null],
    ['with-basic', 'https://console.example.com', null],
    ['hexabase-cli', 'http://localhost:8000', null],
  ])('lets pages of %s at %s call it: %s', async (clientId, origin, allowed) => {
    const response = await fetch(`${issuer.issuerUrl}/token`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId }),
      dispatcher: agent,
    });
    await response.body?.cancel();
    expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
  });
});
