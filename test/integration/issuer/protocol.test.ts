import { request as httpsRequest } from 'node:https';
import { decodeProtectedHeader } from 'jose';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  createOidcClient,
  prepareRequest,
  refresh,
  SignInRefusedError,
  signInWithCode,
  signInWithDevice,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }]);
  agent = new Agent({ connect: { ca: issuer.ca } });
  workspace = await createWorkspace(database, `<script>alert("x")</script>`);
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
const get = (path: string) => fetch(`${issuer.issuerUrl}${path}`, { dispatcher: agent });

const payloadOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('discovery and keys', () => {
  it('tells what kubelogin looks for, and lets it be kept for a while', async () => {
    const response = await get('/.well-known/openid-configuration');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const metadata = (await response.json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({
      issuer: issuer.issuerUrl,
      jwks_uri: `${issuer.issuerUrl}/jwks`,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['ES256', 'RS256']),
      device_authorization_endpoint: `${issuer.issuerUrl}/device/auth`,
      authorization_response_iss_parameter_supported: true,
    });
    expect(metadata).not.toHaveProperty('registration_endpoint');
    expect((await get('/.well-known/oauth-authorization-server')).status).toBe(200);
  });

  it('publishes public keys of both algorithms, the current and the next, for at most a minute', async () => {
    const response = await get('/jwks');
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
    expect(keys.map((key) => key['alg']).sort()).toEqual(['ES256', 'ES256', 'RS256', 'RS256']);
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi'])
        expect(key).not.toHaveProperty(secret);
    }
  });

  it('signs ID tokens with ES256', async () => {
    const { id_token } = await signInWithCode(as());
    expect(decodeProtectedHeader(id_token)).toMatchObject({ alg: 'ES256' });
  });
});

describe('authorization requests that are refused', () => {
  const open = async (change: (url: URL) => void) => {
    await using client = await createOidcClient(as());
    await using visitor = createPageVisitor(issuer.ca);
    const { url } = await prepareRequest(client);
    change(url);
    return await visitor.open(url.href);
  };

  it.each([
    ['no PKCE', (url: URL) => url.searchParams.delete('code_challenge'), 'invalid_request'],
    [
      'PKCE plain',
      (url: URL) => url.searchParams.set('code_challenge_method', 'plain'),
      'invalid_request',
    ],
    [
      'a challenge without a method',
      (url: URL) => url.searchParams.delete('code_challenge_method'),
      'invalid_request',
    ],
    [
      'an implicit response',
      (url: URL) => url.searchParams.set('response_type', 'id_token'),
      'unsupported_response_type',
    ],
    [
      'a request object',
      (url: URL) => url.searchParams.set('request', 'e30.e30.'),
      'request_not_supported',
    ],
    [
      'the API as the resource of a workspace’s client',
      (url: URL) => url.searchParams.set('resource', issuer.apiAudience),
      'invalid_target',
    ],
  ])('%s', async (_name, change, error) => {
    const page = await open(change);
    expect(page.left).toBe(true);
    expect(page.url.origin).toBe('http://localhost:8000');
    const answer = new URLSearchParams(`${page.url.search.slice(1)}&${page.url.hash.slice(1)}`);
    expect(answer.get('error')).toBe(error);
    expect(answer.has('code') || answer.has('id_token')).toBe(false);
  });

  it.each([
    'https://evil.example/',
    'http://evil.example:8000',
    'http://localhost.evil.example:8000',
    'http://localhost:8000@evil.example',
    'http://user@localhost:8000',
    'http://localhost:8000/callback',
    'http://localhost:8000/?x=1',
    'http://localhost:8000#x',
    'http://localhost:99999',
    'http://LOCALHOST:8000/..;/',
    'http://127.0.0.2:8000',
    'http://0.0.0.0:8000',
    'https://localhost:8000',
    'javascript:alert(1)',
    'com.example.app:/callback',
    '//localhost:8000',
  ])('the redirect address %s', async (redirectUri) => {
    const page = await open((url) => url.searchParams.set('redirect_uri', redirectUri));
    expect(page.left).toBe(false);
    expect(page.status).toBe(400);
    expect(page.text).toContain('The answer may not go there');
  });

  it.each([
    'http://localhost:8000',
    'http://localhost:8000/',
    'http://localhost:18000',
    'http://localhost',
    'http://127.0.0.1:54321',
    'http://127.0.0.1:54321/',
    'http://[::1]:54321',
    'http://[::1]:54321/',
  ])('but not the loopback address %s', async (redirectUri) => {
    const page = await open((url) => url.searchParams.set('redirect_uri', redirectUri));
    expect(page.text).toContain('Sign in');
    expect(page.status).toBe(200);
  });

  it('an unknown workspace', async () => {
    const page = await open((url) =>
      url.searchParams.set('client_id', 'ws_01k3v7c4h8e2f9r5t6y7z8a9bc'),
    );
    expect(page.status).toBe(400);
    expect(page.text).toContain('This workspace or program is not known');
    expect(page.text).toMatch(/Request [\w-]{36}/);
  });
});

describe('access tokens for the API', () => {
  it('are for the command line only, as at+jwt, and go on by refresh', async () => {
    const cli = { ...as('hexabase-cli'), extraParams: { scope: 'openid offline_access api' } };
    const first = await signInWithCode(cli);
    expect(decodeProtectedHeader(first.access_token)).toMatchObject({
      alg: 'ES256',
      typ: 'at+jwt',
    });
    expect(payloadOf(first.access_token)).toMatchObject({
      iss: issuer.issuerUrl,
      aud: issuer.apiAudience,
      client_id: 'hexabase-cli',
      scope: 'api',
      sub: first.claims['sub'],
    });
    expect(first.claims).toMatchObject({ aud: 'hexabase-cli' });
    expect(first.claims).not.toHaveProperty('groups');
    expect(first.claims).not.toHaveProperty('workspace');
    const second = await refresh({ ...cli, refreshToken: first.refresh_token });
    expect(payloadOf(second.access_token)).toMatchObject({ aud: issuer.apiAudience, scope: 'api' });
  });

  it('come by the device flow as well', async () => {
    const { access_token } = await signInWithDevice({
      ...as('hexabase-cli'),
      extraParams: { scope: 'openid offline_access api' },
    });
    expect(payloadOf(access_token)).toMatchObject({ aud: issuer.apiAudience });
  });

  it('are not for other resources', async () => {
    const attempt = signInWithCode({
      ...as('hexabase-cli'),
      extraParams: { resource: 'https://elsewhere.example/' },
    });
    await expect(attempt).rejects.toBeInstanceOf(SignInRefusedError);
    await expect(attempt).rejects.toThrow('invalid_target');
  });

  it('are not for a workspace’s client by refresh either', async () => {
    const { refresh_token } = await signInWithCode(as());
    const response = await fetch(`${issuer.issuerUrl}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: workspace.clientId,
        grant_type: 'refresh_token',
        refresh_token,
        resource: issuer.apiAudience,
      }),
      dispatcher: agent,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_target' });
  });
});

describe('the host', () => {
  const ask = (path: string, headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const url = new URL(issuer.issuerUrl);
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port: url.port,
          servername: 'localhost',
          ca: issuer.ca,
          path,
          headers,
          agent: false,
        },
        async (response) => {
          const chunks = await response.toArray();
          const text = `${JSON.stringify(response.headers)}\n${Buffer.concat(chunks).toString()}`;
          resolve({ status: response.statusCode, text });
        },
      );
      request.on('error', reject).end();
    });
  const ours = () => new URL(issuer.issuerUrl).host;
  const PATHS = [
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/jwks',
    '/auth',
    '/token',
    '/device',
    '/device/auth',
    '/session/end',
    '/me',
    '/interaction/x',
    '/nothing',
  ];

  it.each(PATHS)('%s answers for no other, and reflects none', async (path) => {
    for (const headers of [
      { host: 'evil.example' },
      { host: `${ours()}.evil.example` },
      { host: `evil.example@${ours()}` },
      { host: 'localhost:1' },
      { host: ours(), 'x-forwarded-host': 'evil.example' },
      { host: ours(), 'x-forwarded-host': `${ours()}, evil.example` },
    ]) {
      const { status, text } = await ask(path, headers);
      expect([400, 421]).toContain(status);
      expect(text).not.toContain('evil.example');
      expect(text).not.toContain('localhost:1/');
    }
    const absolute = await ask(`https://evil.example${path}`, { host: ours() });
    expect(absolute.status).toBe(421);
    expect(absolute.text).not.toContain('evil.example');
  });

  it('is free for probes', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await ask(path, { host: '10.0.0.1' })).status).toBe(200);
    }
    expect((await ask('/metrics', { host: '10.0.0.1' })).text).toContain('oidc_grants_total');
  });
});

describe('pages', () => {
  const start = async () => {
    await using client = await createOidcClient(as());
    return (await prepareRequest(client)).url.href;
  };

  it('escape names, run no script and can’t be framed', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const page = await visitor.open(await start());
    expect(page.document.innerHTML).not.toContain('<script>');
    expect(page.text).toContain('alert(');
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' http://localhost:8000");
    expect(policy).toMatch(/script-src;/);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('set cookies that only this host over HTTPS gets, and no script', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const url = await start();
    await signInWithCode({ ...as(), visitor });
    await visitor.open(url);
    const cookies = await visitor.cookies.getCookies(`${issuer.issuerUrl}/`);
    expect(cookies.map(({ key }) => key).sort()).toEqual([
      '__Host-hexabase-session',
      '__Host-hexabase-session.sig',
    ]);
    for (const cookie of await visitor.cookies.store.getAllCookies()) {
      expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: 'lax' });
    }
  });

  it.each([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ origin: '', 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
  ])('refuse a form from elsewhere: %j', async (headers) => {
    await using visitor = createPageVisitor(issuer.ca);
    const page = await visitor.open(await start());
    const answer = await visitor.submit(page, {
      having: 'password',
      fields: { username: 'alice', password: TEST_PASSWORD },
      headers,
    });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('That came from somewhere else');
  });

  it('belong to the browser that began', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    await using thief = createPageVisitor(issuer.ca);
    const page = await visitor.open(await start());
    const stolen = await thief.open(page.url.href);
    expect(stolen.status).toBe(400);
    expect(stolen.text).toContain('This sign-in has ended');
    await thief.open(await start());
    const mixed = await thief.submit(page, {
      having: 'password',
      fields: { username: 'alice', password: TEST_PASSWORD },
    });
    expect(mixed.status).toBe(400);
  });

  it('say what to do where nothing is', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const page = await visitor.open(`${issuer.issuerUrl}/nowhere`);
    expect(page.status).toBe(404);
    expect(page.text).toMatch(/There is nothing here.*Request/);
  });

  it('sign out', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const tokens = await signInWithCode({ ...as(), visitor });
    const ask = await visitor.open(`${issuer.issuerUrl}/session/end`);
    expect(ask.text).toContain('Sign out?');
    const done = await visitor.submit(ask, { having: 'logout' });
    expect(done.text).toContain('You are signed out');
    expect((await visitor.open(await start())).text).toContain('Password');
    await refresh({ ...as(), refreshToken: tokens.refresh_token });
  });
});
