/** Which standards the issuer follows, and what is off: what its metadata says, and what it does. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  authorize,
  createOidcClient,
  prepareRequest,
  redeem,
  SignInRefusedError,
  signInWithCode,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const SECRET = randomBytes(32).toString('base64url');
let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }], {
    clients: ['console', 'other'].map((client_id) => ({
      client_id,
      client_name: client_id,
      redirect_uris: ['https://console.example/callback'],
      token_endpoint_auth_method: 'client_secret_basic' as const,
      client_secret_sha256: createHash('sha256').update(SECRET).digest('hex'),
    })),
  });
  agent = new Agent({ connect: { ca: issuer.ca } });
  workspace = await createWorkspace(database);
  await workspace.addMember(await createPerson(database, 'alice'));
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const as = (clientId = workspace.clientId) => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId,
  username: 'alice',
  password: TEST_PASSWORD,
});
const get = async (path: string) => {
  const response = await fetch(`${issuer.issuerUrl}${path}`, { dispatcher: agent });
  return (await response.json()) as Readonly<Record<string, unknown>>;
};
type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
const post = async (
  path: string,
  form: Readonly<Record<string, string>>,
  confidential?: string,
): Promise<Answer> => {
  const basic = Buffer.from(`${confidential}:${SECRET}`).toString('base64');
  const response = await fetch(`${issuer.issuerUrl}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: confidential ? { authorization: `Basic ${basic}` } : {},
    dispatcher: agent,
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : {} };
};

describe('the metadata', () => {
  it('is the same document by RFC 8414 and by OpenID Connect Discovery', async () => {
    expect(await get('/.well-known/oauth-authorization-server')).toEqual(
      await get('/.well-known/openid-configuration'),
    );
  });

  it.each([
    ['PKCE by S256 alone (RFC 7636)', 'code_challenge_methods_supported', ['S256']],
    ['iss in answers (RFC 9207)', 'authorization_response_iss_parameter_supported', true],
    ['codes alone', 'response_types_supported', ['code']],
    ['no implicit answers', 'response_modes_supported', ['form_post', 'fragment', 'query']],
    ['PAR, for who wants it (RFC 9126)', 'require_pushed_authorization_requests', undefined],
    ['no dynamic registration', 'registration_endpoint', undefined],
    ['no request objects by value', 'request_parameter_supported', undefined],
    ['no request objects by reference', 'request_uri_parameter_supported', false],
    ['no claims parameter', 'claims_parameter_supported', false],
    ['subjects that are the same for every client', 'subject_types_supported', ['public']],
  ])('says %s', async (_name, member, value) => {
    expect((await get('/.well-known/openid-configuration'))[member]).toEqual(value);
  });

  it('names the endpoints, and no algorithm none', async () => {
    const metadata = await get('/.well-known/openid-configuration');
    const at = (path: string) => `${issuer.issuerUrl}${path}`;
    expect(metadata).toMatchObject({
      pushed_authorization_request_endpoint: at('/request'),
      introspection_endpoint: at('/token/introspection'),
      revocation_endpoint: at('/token/revocation'),
      device_authorization_endpoint: at('/device/auth'),
    });
    expect(metadata['grant_types_supported']).not.toContain('implicit');
    expect(metadata['grant_types_supported']).not.toContain('password');
    for (const [name, value] of Object.entries(metadata)) {
      if (name.endsWith('alg_values_supported')) expect(value, name).not.toContain('none');
    }
  });
});

describe('what is off is refused', () => {
  it.each([
    ['PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the implicit grant', { response_type: 'id_token token' }, 'unsupported_response_type'],
    ['the hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
    [
      'a request object by reference',
      { request_uri: 'https://evil.example/request' },
      'request_uri_not_supported',
    ],
    [
      'a pushed request of nobody’s',
      { request_uri: 'urn:ietf:params:oauth:request_uri:unknown' },
      'invalid_request_uri',
    ],
  ])('%s', async (_name, parameters, error) => {
    await using client = await createOidcClient(as());
    await using visitor = createPageVisitor(issuer.ca);
    const { url } = await prepareRequest(client, parameters);
    const page = await visitor.open(url.href);
    const { search, hash } = page.url;
    const answer = new URLSearchParams(`${search.slice(1)}&${hash.slice(1)}`);
    expect(page.left ? answer.get('error') : page.text).toContain(error);
    if (page.left) expect(answer.get('iss')).toBe(issuer.issuerUrl);
  });

  it.each([
    ['the password grant', { grant_type: 'password', username: 'alice', password: TEST_PASSWORD }],
    ['the implicit grant at the token endpoint', { grant_type: 'implicit' }],
  ])('%s', async (_name, form) => {
    const { status, body } = await post('/token', { client_id: workspace.clientId, ...form });
    expect([status, body['error']]).toEqual([400, 'unsupported_grant_type']);
  });

  it('dynamic registration', async () => {
    const headers = { origin: issuer.issuerUrl };
    const url = `${issuer.issuerUrl}/reg`;
    const { status } = await fetch(url, { method: 'POST', headers, dispatcher: agent });
    expect(status).toBe(404);
  });
});

describe('a pushed authorization request (RFC 9126)', () => {
  const push = async (extraParams: Readonly<Record<string, string>> = {}) => {
    await using client = await createOidcClient(as());
    const request = await prepareRequest(client, extraParams);
    const form = { ...Object.fromEntries(request.url.searchParams), client_id: workspace.clientId };
    return { request, answer: await post('/request', form) };
  };
  const addressOf = ({ body }: Answer) =>
    new URL(
      `/auth?${new URLSearchParams({ client_id: workspace.clientId, request_uri: String(body['request_uri']) })}`,
      issuer.issuerUrl,
    );

  it('signs in, once', async () => {
    const { request, answer } = await push();
    expect(answer).toMatchObject({ status: 201, body: { expires_in: 60 } });
    const end = await authorize(as(), addressOf(answer));
    await using client = await createOidcClient(as());
    const { claims } = await redeem(client, request, end);
    expect(claims['aud']).toBe(workspace.clientId);
    await expect(authorize(as(), addressOf(answer))).rejects.toBeInstanceOf(SignInRefusedError);
  });

  it.each([
    ['without PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['with PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    [
      'to an address that isn’t the client’s',
      { redirect_uri: 'https://evil.example/' },
      'invalid_request',
    ],
    [
      'for the API, by a workspace’s client',
      { resource: 'https://api.hexabase.test/' },
      'invalid_target',
    ],
  ])('%s is refused at once', async (_name, parameters, error) => {
    const { answer } = await push(parameters);
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
  });

  it('is another client’s for nobody', async () => {
    const { answer } = await push();
    const url = addressOf(answer);
    url.searchParams.set('client_id', 'hexabase-cli');
    await expect(authorize(as('hexabase-cli'), url)).rejects.toBeInstanceOf(SignInRefusedError);
  });
});

describe('introspection (RFC 7662) and revocation (RFC 7009)', () => {
  it('tell a client without a credential nothing, not even of its own token', async () => {
    const { refresh_token: token } = await signInWithCode(as());
    const answer = await post('/token/introspection', { token, client_id: workspace.clientId });
    expect(answer).toEqual({ status: 200, body: { active: false } });
  });

  it('tell a client nothing of another’s token, and revoke none of it', async () => {
    const { refresh_token: token, claims } = await signInWithCode(as());
    expect(await post('/token/introspection', { token }, 'console')).toEqual({
      status: 200,
      body: { active: false },
    });
    await post('/token/revocation', { token }, 'console');
    const renewed = await post('/token', {
      ...{ grant_type: 'refresh_token', refresh_token: token },
      client_id: workspace.clientId,
    });
    expect(renewed.status).toBe(200);
    expect(claims['aud']).toBe(workspace.clientId);
  });

  it('tell a client with a credential of its own tokens, until they are revoked with their grant', async () => {
    const { access_token, refresh_token } = await signInToConsole();
    const introspect = async (token: string, client: string) =>
      (await post('/token/introspection', { token }, client)).body;
    expect(await introspect(access_token, 'console')).toMatchObject({
      active: true,
      client_id: 'console',
    });
    expect(await introspect(access_token, 'other')).toEqual({ active: false });
    const token = refresh_token ?? access_token;
    expect((await post('/token/revocation', { token }, 'console')).status).toBe(200);
    expect(await introspect(token, 'console')).toEqual({ active: false });
  });

  const signInToConsole = async () => {
    const verifier = randomBytes(32).toString('base64url');
    const redirect_uri = 'https://console.example/callback';
    const url = new URL('/auth', issuer.issuerUrl);
    url.search = `${new URLSearchParams({
      ...{ client_id: 'console', redirect_uri, response_type: 'code', scope: 'openid' },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })}`;
    const end = await authorize(as('console'), url);
    expect(end.searchParams.get('iss')).toBe(issuer.issuerUrl);
    const code = end.searchParams.get('code') ?? '';
    const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier };
    const { body } = await post('/token', form, 'console');
    return body as { access_token: string; refresh_token?: string };
  };
});
