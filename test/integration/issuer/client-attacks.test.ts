import { createHash } from 'node:crypto';
import { exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  authorize,
  createOidcClient,
  prepareRequest,
  SignInRefusedError,
  signInWithCode,
  startDevice,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const REDIRECT_URI = 'http://localhost:8000';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let other: TestWorkspace;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }]);
  [workspace, other] = [await createWorkspace(database), await createWorkspace(database)];
  const alice = await createPerson(database, 'alice');
  await workspace.addMember(alice);
  await other.addMember(alice);
  agent = new Agent({ connect: { ca: issuer.ca } });
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const as = (clientId = workspace.clientId) => ({
  ...{ issuerUrl: issuer.issuerUrl, ca: issuer.ca, clientId },
  ...{ username: 'alice', password: TEST_PASSWORD },
});

const post = async (path: string, form: Record<string, string> | string) => {
  const response = await fetch(`${issuer.issuerUrl}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    dispatcher: agent,
  });
  const text = await response.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
  return { status: response.status, body };
};

/** A code for a request with these parameters. */
const getCode = async (parameters: Record<string, string> = {}): Promise<string> => {
  await using client = await createOidcClient(as());
  const { url } = await prepareRequest(client, {
    ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256' },
    ...parameters,
  });
  return (await authorize(as(), url)).searchParams.get('code') ?? '';
};

const redeemCode = async (change: Record<string, string | undefined>) => {
  const form = {
    ...{ grant_type: 'authorization_code', client_id: workspace.clientId },
    ...{ redirect_uri: REDIRECT_URI, code_verifier: VERIFIER, ...change },
  };
  const given = Object.entries(form).filter((entry): entry is [string, string] => !!entry[1]);
  return post('/token', Object.fromEntries(given));
};

describe('a code with PKCE (RFC 7636)', () => {
  it('is redeemed with its verifier', async () => {
    expect((await redeemCode({ code: await getCode() })).status).toBe(200);
  });

  it.each([
    ['no verifier', { code_verifier: undefined }],
    ['the challenge as the verifier, as with plain', { code_verifier: CHALLENGE }],
    ['another verifier', { code_verifier: VERIFIER.replace('d', 'e') }],
    ['a shorter verifier', { code_verifier: VERIFIER.slice(0, -1) }],
    ['a longer verifier', { code_verifier: `${VERIFIER}a` }],
    ['the verifier in another case', { code_verifier: VERIFIER.toUpperCase() }],
    ['a verifier of other characters', { code_verifier: `${VERIFIER.slice(0, -1)}/` }],
    ['an empty verifier', { code_verifier: ' ' }],
    ['another redirect address', { redirect_uri: 'http://localhost:8001' }],
    ['a redirect address with a slash', { redirect_uri: `${REDIRECT_URI}/` }],
    ['no redirect address', { redirect_uri: undefined }],
    ['the client of another workspace', { client_id: 'other' }],
    ['the command line', { client_id: 'hexabase-cli' }],
    ['no client', { client_id: undefined }],
  ])('is worthless with %s', async (_name, change: Record<string, string | undefined>) => {
    const clientId = change['client_id'] === 'other' ? { client_id: other.clientId } : {};
    const { status, body } = await redeemCode({ code: await getCode(), ...change, ...clientId });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body['error']).toMatch(/^invalid_(grant|request|client)$/);
    expect(body).not.toHaveProperty('access_token');
  });

  it.each([
    ['no challenge', { code_challenge: '' }],
    ['no method', { code_challenge_method: '' }],
    ['plain', { code_challenge_method: 'plain' }],
    ['an unknown method', { code_challenge_method: 'S512' }],
    ['the method in another case', { code_challenge_method: 's256' }],
    ['a challenge that is too short', { code_challenge: CHALLENGE.slice(1) }],
    ['a challenge that is too long', { code_challenge: 'a'.repeat(129) }],
    ['a challenge of other characters', { code_challenge: `${CHALLENGE.slice(1)}=` }],
  ])('is not given for %s', async (_name, parameters) => {
    await expect(getCode(parameters)).rejects.toThrow(/invalid_request/);
  });

  it('lives for a minute', async () => {
    const code = await getCode();
    const [life] = await database.query<{ seconds: number }>(
      `UPDATE oidc_artifact SET expires_at = expires_at - interval '80 seconds'
       WHERE model = 'AuthorizationCode' AND expires_at > now()
       RETURNING extract(epoch FROM expires_at + interval '80 seconds' - created_at)::float AS seconds`,
    );
    expect(life?.seconds).toBeLessThanOrEqual(60);
    expect((await redeemCode({ code })).body['error']).toBe('invalid_grant');
  });

  it('ends everything that it gave when it comes a second time', async () => {
    const code = await getCode();
    const first = await redeemCode({ code });
    expect((await redeemCode({ code })).body['error']).toBe('invalid_grant');
    const { body } = await post('/token', {
      ...{ grant_type: 'refresh_token', client_id: workspace.clientId },
      refresh_token: first.body['refresh_token'] ?? '',
    });
    expect(body['error']).toBe('invalid_grant');
  });
});

describe('a way to answer that is switched off', () => {
  it.each([
    ...['token', 'id_token', 'id_token token', 'code token', 'code id_token'],
    ...['code id_token token', 'none', 'device', 'CODE'],
  ])('%s is refused', async (response_type) => {
    const refusal = await getCode({ response_type }).catch((error: unknown) => error);
    if (!(refusal instanceof SignInRefusedError)) throw new Error('not refused');
    const { search, hash, origin } = refusal.page.url;
    expect(origin).toBe(REDIRECT_URI);
    expect(`${search}${hash}`).toMatch(/error=(unsupported_response_type|invalid_request)/);
    expect(`${search}${hash}`).not.toMatch(/code=|token=/);
  });

  it.each(['fragment', 'web_message', 'jwt', 'query.jwt', 'form_post.jwt', 'nonsense'])(
    'the mode %s never leads anywhere else',
    async (response_mode) => {
      await using client = await createOidcClient(as());
      await using visitor = createPageVisitor(issuer.ca);
      const request = await prepareRequest(client, { response_mode, prompt: 'none' });
      const page = await visitor.open(request.url.href);
      if (page.left) expect(page.url.origin).toBe(REDIRECT_URI);
      expect(page.status).toBeLessThan(500);
      expect(page.url.href).toMatch(/error=|auth\?/);
    },
  );
});

describe('a token of one client', () => {
  it('is worth nothing to another: refresh, device code, revocation', async () => {
    const { refresh_token } = await signInWithCode(as());
    const stolen = { grant_type: 'refresh_token', refresh_token };
    for (const client_id of [other.clientId, 'hexabase-cli']) {
      expect((await post('/token', { ...stolen, client_id })).body['error']).toBe('invalid_grant');
      await post('/token/revocation', { token: refresh_token, client_id });
    }
    await using client = await createOidcClient(as());
    const { device_code } = await startDevice(client);
    const poll = await post('/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      ...{ device_code, client_id: other.clientId },
    });
    expect(poll.body['error']).toBe('invalid_grant');
    const own = await post('/token', { ...stolen, client_id: workspace.clientId });
    expect(own.status).toBe(200);
  });

  it('of one kind is none of another (CVE-2026-4282)', async () => {
    const tokens = await signInWithCode(as());
    const code = await getCode();
    await using client = await createOidcClient(as());
    const { device_code } = await startDevice(client);
    const values = [tokens.refresh_token, tokens.access_token, tokens.id_token, code, device_code];
    const client_id = workspace.clientId;
    for (const [index, value] of values.entries()) {
      const answers = await Promise.all([
        index === 0 ||
          post('/token', { grant_type: 'refresh_token', refresh_token: value, client_id }),
        index === 3 || redeemCode({ code: value }),
        index === 1 || fetchUserinfo(value),
      ]);
      for (const answer of answers) {
        if (answer !== true) expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
    expect((await fetchUserinfo(tokens.access_token)).status).toBe(200);
    expect((await redeemCode({ code })).status).toBe(200);
  });
});

const fetchUserinfo = async (token: string) => {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${issuer.issuerUrl}/me`, { headers, dispatcher: agent });
  await response.body?.cancel();
  return { status: response.status };
};

describe('an id_token_hint that isn’t ours', () => {
  const forgeries = async (): Promise<Record<string, string>> => {
    const { id_token } = await signInWithCode(as());
    const [header = '', payload = '', signature = ''] = id_token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload;
    const stranger = await generateKeyPair('ES256');
    return {
      'alg none': new UnsecuredJWT(claims).encode(),
      unsigned: `${header}.${payload}.`,
      'foreign key': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256' })
        .sign(stranger.privateKey),
      'HS256 with the public key': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(await exportSPKI(stranger.publicKey))),
      'another subject': `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url')}.${signature}`,
      garbage: 'a.b.c',
    };
  };

  it('is refused at sign-in and at sign-out', async () => {
    for (const [name, hint] of Object.entries(await forgeries())) {
      await using visitor = createPageVisitor(issuer.ca);
      await using client = await createOidcClient(as());
      const { url } = await prepareRequest(client, { id_token_hint: hint, prompt: 'none' });
      const page = await visitor.open(url.href);
      expect([name, page.url.searchParams.get('error')]).toEqual([name, 'invalid_request']);
      const end = await visitor.open(
        `${issuer.issuerUrl}/session/end?${new URLSearchParams({ id_token_hint: hint })}`,
      );
      expect([name, end.status]).toEqual([name, 400]);
    }
  });
});
