/** The grant with which rbac-sync gets tokens to probe clusters: what it gives, and everything it refuses. */
import {
  decodeProtectedHeader,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { NOBODYS_AUDIENCE, PROBE_CLIENT_ID, toProbeSubject } from '#domain/probe-subject.ts';
import { createAccessTokenVerifier } from '../../../tenancy-api/access-token.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import { createProbeKeys, type ProbeKeys, probeTokensOf } from '../../support/probe-client.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let issuer: TestIssuer;
let agent: Agent;
let keys: ProbeKeys;
let workspace: TestWorkspace;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  keys = await createProbeKeys();
  database = stack.use(await createTestDatabase());
  issuer = stack.use(
    await startTestIssuer(database, [{ username: 'alice' }], { probeKey: keys.publicKey }),
  );
  agent = new Agent({ connect: { ca: issuer.ca } });
  stack.defer(() => agent.close());
});
beforeEach(async () => {
  workspace = await createWorkspace(database);
});
afterAll(() => stack.disposeAsync());

type Assertion = { readonly claims?: JWTPayload; readonly key?: JWK };

const assertion = async ({ claims = {}, key = keys.privateKey }: Assertion = {}) => {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: PROBE_CLIENT_ID,
    sub: PROBE_CLIENT_ID,
    aud: issuer.issuerUrl,
    jti: createId(),
    iat: now,
    exp: now + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(await importJWK(key, 'ES256'));
};
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ask = async (parameters: Record<string, string>) => {
  const response = await fetch(`${issuer.issuerUrl}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
    dispatcher: agent,
  });
  const body = (await response.json()) as Record<string, string>;
  return { status: response.status, body };
};
const askAsClient = async (parameters: Record<string, string>, how?: Assertion) =>
  ask({
    client_assertion_type: JWT_BEARER,
    client_assertion: await assertion(how),
    ...parameters,
  });

describe('the grant of probes', () => {
  it('gives a short-lived token of nobody for the workspace alone', async () => {
    await using tokens = probeTokensOf(issuer, keys);
    const token = await tokens.request(workspace.clientId);
    const jwks = (await (
      await fetch(`${issuer.issuerUrl}/jwks`, { dispatcher: agent })
    ).json()) as { keys: JWK[] };
    const key = jwks.keys.find(({ alg }) => alg === 'ES256') as JWK;
    const { payload } = await jwtVerify(token, await importJWK(key, 'ES256'));
    expect(payload).toEqual({
      iss: issuer.issuerUrl,
      sub: toProbeSubject(workspace.clientId),
      aud: workspace.clientId,
      workspace: workspace.clientId,
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 60,
    });
  });

  it('gives a token for nobody’s audience, to be refused everywhere', async () => {
    expect(await askAsClient({ audience: NOBODYS_AUDIENCE })).toMatchObject({ status: 200 });
  });

  it('gives nothing that the API takes', async () => {
    const { body } = await askAsClient({ audience: workspace.clientId });
    await using verifier = createAccessTokenVerifier({
      issuer: { url: issuer.issuerUrl, certificateAuthority: issuer.ca },
      audience: workspace.clientId,
    });
    await expect(verifier.verify(body['access_token'] ?? '')).rejects.toThrow();
  });

  it.each([
    ['the API', () => issuer.apiAudience],
    ['an unknown workspace', () => formatId('workspace', createId())],
    ['a project', () => formatId('project', workspace.id)],
    ['the command line', () => 'hexabase-cli'],
    ['itself', () => PROBE_CLIENT_ID],
  ])('gives no token for %s', async (_name, audience) => {
    const answer = await askAsClient({ audience: audience() });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  it('gives no token without an audience, and none for a resource', async () => {
    const answer = await askAsClient({ resource: issuer.apiAudience, scope: 'api openid' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  it('gives no token for two audiences', async () => {
    const parameters = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: JWT_BEARER,
      client_assertion: await assertion(),
    });
    for (const audience of [workspace.clientId, issuer.apiAudience]) {
      parameters.append('audience', audience);
    }
    const response = await fetch(`${issuer.issuerUrl}/token`, {
      method: 'POST',
      body: parameters,
      dispatcher: agent,
    });
    expect(response.status).toBe(400);
  });

  it.each([
    ['suspended', 'suspended_at = now()'],
    ['being deleted', `delete_after = now() + interval '1 day'`],
  ])('gives no token for a workspace that is %s', async (_name, assignment) => {
    await database.query(`UPDATE workspace SET ${assignment} WHERE id = $1`, [workspace.id]);
    const answer = await askAsClient({ audience: workspace.clientId });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});

describe('the key that signs a probe', () => {
  it('is the one that was published last where that is asked for, and no other', async () => {
    const [next] = await database.query<{ kid: string }>(
      "SELECT kid FROM signing_key WHERE state = 'next' AND algorithm = 'ES256'",
    );
    await using tokens = probeTokensOf(issuer, keys);
    const token = await tokens.request(workspace.clientId, 'newest');
    expect(decodeProtectedHeader(token).kid).toBe(next?.kid);
    const usual = await tokens.request(workspace.clientId);
    expect(decodeProtectedHeader(usual).kid).not.toBe(next?.kid);
  });

  it('is not the caller’s to name', async () => {
    const answer = await askAsClient({ audience: workspace.clientId, signing_key: 'current' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});

describe('who is not the client', () => {
  const refused = { status: 401, body: { error: 'invalid_client' } };

  it('has signed with another key', async () => {
    const { privateKey: key } = await createProbeKeys();
    expect(await askAsClient({ audience: workspace.clientId }, { key })).toMatchObject(refused);
  });

  it.each([
    ['for another issuer', { aud: 'https://elsewhere.example' }],
    ['in the name of another', { iss: 'hexabase-cli' }],
    ['long ago', { iat: 1, exp: 2 }],
  ])('has signed %s', async (_name, claims) => {
    expect(await askAsClient({ audience: workspace.clientId }, { claims })).toMatchObject(refused);
  });

  it('sends what was sent before', async () => {
    const client_assertion = await assertion();
    const again = () =>
      ask({
        client_assertion_type: JWT_BEARER,
        client_assertion,
        audience: workspace.clientId,
      });
    expect(await again()).toMatchObject({ status: 200 });
    expect(await again()).toMatchObject(refused);
  });

  it('sends no signature', async () => {
    const answer = await ask({ client_id: PROBE_CLIENT_ID, audience: workspace.clientId });
    expect(answer).toMatchObject(refused);
  });

  it.each([
    ['a workspace', () => workspace.clientId],
    ['the command line', () => 'hexabase-cli'],
  ])('is the client of %s', async (_name, client) => {
    const answer = await ask({ client_id: client(), audience: workspace.clientId });
    expect(answer.status).toBe(400);
    expect(answer.body['access_token']).toBeUndefined();
  });
});

describe('the client of probes', () => {
  it.each([
    ['signs nobody in', 'authorization_code', { code: 'x', redirect_uri: 'http://localhost' }],
    ['refreshes nothing', 'refresh_token', { refresh_token: 'x' }],
    ['has no devices', 'urn:ietf:params:oauth:grant-type:device_code', { device_code: 'x' }],
  ])('%s', async (_name, grant_type, parameters) => {
    const answer = await askAsClient({ grant_type, ...parameters } as Record<string, string>);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('does not exist where no key is set', async () => {
    await using empty = await createTestDatabase();
    await using other = await startTestIssuer(empty, [{ username: 'alice' }]);
    await using tokens = probeTokensOf(other, keys);
    await expect(tokens.request(workspace.clientId)).rejects.toThrow('invalid_client');
  });
});
