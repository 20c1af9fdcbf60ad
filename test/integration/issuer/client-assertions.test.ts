import { importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { PROBE_CLIENT_ID } from '#domain/probe-subject.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import { createProbeKeys, type ProbeKeys } from '../../support/probe-client.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let agent: Agent;
let keys: ProbeKeys;

beforeAll(async () => {
  database = await createTestDatabase();
  keys = await createProbeKeys();
  issuer = await startTestIssuer(database, [{ username: 'alice' }], { probeKey: keys.publicKey });
  workspace = await createWorkspace(database);
  agent = new Agent({ connect: { ca: issuer.ca } });
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
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

describe('an assertion of a client (RFC 7523)', () => {
  const sign = async (
    claims: JWTPayload = {},
    header: { alg: string } & object = { alg: 'ES256' },
  ) =>
    new SignJWT({
      ...{ iss: PROBE_CLIENT_ID, sub: PROBE_CLIENT_ID, aud: issuer.issuerUrl, jti: createId() },
      ...{ exp: Math.floor(Date.now() / 1000) + 60, ...claims },
    })
      .setProtectedHeader(header)
      .sign(await importJWK(keys.privateKey, 'ES256'));
  const ask = (client_assertion: string, more: Record<string, string> = {}) =>
    post('/token', {
      ...{ grant_type: 'client_credentials', audience: workspace.clientId },
      ...{ client_assertion_type: JWT_BEARER, client_assertion, ...more },
    });

  it('opens the token endpoint, once', async () => {
    const assertion = await sign();
    expect((await ask(assertion)).status).toBe(200);
    expect((await ask(assertion)).status).toBeGreaterThanOrEqual(400);
  });

  it.each([
    ['has no jti', { jti: undefined }],
    ['has no end', { exp: undefined }],
    ['has no audience', { aud: undefined }],
    ['is for the workspace', { aud: 'ws_x' }],
    ['is for a prefix of the issuer', { aud: 'https://localhost' }],
    ['has no subject', { sub: undefined }],
    ['has no issuer', { iss: undefined }],
    ['is of another client', { iss: 'hexabase-cli', sub: 'hexabase-cli' }],
    ['begins later', { nbf: 4_000_000_000 }],
    ['ends with a word', { exp: 'tomorrow' as never }],
  ])('is refused when it %s', async (_name, claims) => {
    const { status, body } = await ask(await sign(claims as JWTPayload));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body).not.toHaveProperty('access_token');
  });

  it('is refused unsigned, signed with the public key as a secret, or with something critical', async () => {
    const claims = { iss: PROBE_CLIENT_ID, sub: PROBE_CLIENT_ID, aud: issuer.issuerUrl };
    const exp = Math.floor(Date.now() / 1000) + 60;
    const secret = new TextEncoder().encode(JSON.stringify(keys.publicKey));
    for (const assertion of [
      new UnsecuredJWT({ ...claims, jti: createId(), exp }).encode(),
      await new SignJWT({ ...claims, jti: createId(), exp })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(secret),
      `${await sign()}x`,
      'a.b.c',
    ]) {
      expect((await ask(assertion)).status).toBeGreaterThanOrEqual(400);
    }
  });

  it('doesn’t go with another client’s name, and not twice', async () => {
    const named = await ask(await sign(), { client_id: 'hexabase-cli' });
    expect(named.status).toBeGreaterThanOrEqual(400);
    const twice = `${new URLSearchParams({
      ...{ grant_type: 'client_credentials', audience: workspace.clientId },
      ...{ client_assertion_type: JWT_BEARER, client_assertion: await sign() },
    })}&client_assertion=${await sign()}`;
    expect((await post('/token', twice)).status).toBe(400);
  });
});
