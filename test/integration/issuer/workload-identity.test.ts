/** Workload identity: tokens of another issuer for those of a service account, and every way to cheat. */
import { randomBytes, randomUUID } from 'node:crypto';
import { base64url, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import {
  TOKEN_EXCHANGE,
  type TokenEndpoint,
  tokenEndpointOf,
} from '../../support/token-endpoint.ts';
import {
  githubClaims,
  startWorkloadIssuer,
  type WorkloadIssuer,
} from '../../support/workload-issuer.ts';
import { createMachine, type TestCredential, type TestMachine } from './machine-rows.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let github: WorkloadIssuer;
let issuer: TestIssuer;
let tokens: TokenEndpoint;
let workspace: TestWorkspace;
let machine: TestMachine;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  github = stack.use(await startWorkloadIssuer());
  database = stack.use(await createTestDatabase());
  const federation = { allowedCidrs: ['127.0.0.0/8'], certificateAuthority: github.ca };
  issuer = stack.use(await startTestIssuer(database, [], { federation, encryptionKey }));
  tokens = stack.use(tokenEndpointOf(issuer));
});
beforeEach(async () => {
  workspace = await createWorkspace(database);
  machine = await createMachine(database, workspace.id);
});
afterAll(() => stack.disposeAsync());

const encryptionKey = randomBytes(32);
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const CLAIMS = { repository_id: '12345678', sub: 'repo:acme/web:*' };
const trust = (other: Partial<TestCredential> = {}) =>
  machine.trust({ issuer: github.url, audience: issuer.issuerUrl, claims: CLAIMS, ...other });
const signed = (claims: JWTPayload = {}) =>
  github.sign({ ...githubClaims(issuer.issuerUrl), ...claims });
const exchange = (subject_token: string, other: Record<string, string> = {}) =>
  tokens.ask({
    grant_type: TOKEN_EXCHANGE,
    client_id: machine.clientId,
    subject_token_type: JWT,
    subject_token,
    ...other,
  });
const refused = { status: 400, body: { error: 'invalid_request' } };

describe('a workload', () => {
  it('gets a token of its service account, again and again', async () => {
    await machine.join(await workspace.addGroup('deployers'));
    await trust();
    const token = await signed();
    const { status, body } = await exchange(token);
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: JWT,
      token_type: 'Bearer',
      expires_in: 120,
    });
    expect(status).toBe(200);
    expect(await tokens.read(body['access_token'])).toMatchObject({
      sub: machine.clientId,
      aud: workspace.clientId,
      groups: ['deployers'],
    });
    expect((await exchange(token)).status).toBe(200);
  });

  it('is known by any of several conditions, and seen to have used it', async () => {
    await trust({ claims: { sub: 'repo:acme/other:*' } });
    const used = await trust();
    expect((await exchange(await signed())).status).toBe(200);
    const rows = await database.query(
      'SELECT id FROM federated_credential WHERE service_account_id = $1 AND last_used_at IS NOT NULL',
      [machine.id],
    );
    expect(rows).toEqual([{ id: used }]);
  });

  it('is known by keys that are kept here, without asking its issuer', async () => {
    const cluster = 'https://kubernetes.default.svc';
    await trust({ issuer: cluster, jwks: github.jwks });
    expect((await exchange(await signed({ iss: cluster }))).status).toBe(200);
  });

  it('gets none twice by one token where each counts once', async () => {
    await trust({ singleUse: true });
    const token = await signed();
    const answers = await Promise.all([1, 2, 3, 4].map(() => exchange(token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400]);
    expect((await exchange(await signed())).status).toBe(200);
  });

  it.each([
    [
      'another repository of a name that begins the same',
      { sub: 'repo:acme/web-evil:ref:refs/heads/main' },
    ],
    ['another repository of the same name', { repository_id: '666' }],
    ['a list', { sub: ['repo:acme/web:ref'] as unknown as string }],
    ['somebody else', { aud: 'https://elsewhere.example' }],
    ['somebody else too', { aud: [] }],
    ['yesterday', { iat: 1, exp: Math.floor(Date.now() / 1000) - 60 }],
    ['tomorrow', { nbf: Math.floor(Date.now() / 1000) + 3600 }],
    [
      'the future',
      { iat: Math.floor(Date.now() / 1000) + 3600, exp: Math.floor(Date.now() / 1000) + 7200 },
    ],
    ['ever', { exp: Math.floor(Date.now() / 1000) + 90_000 }],
    ['an issuer that isn’t trusted', { iss: 'https://elsewhere.example' }],
  ])('gets none by a token of or for %s', async (name, claims) => {
    await trust();
    const aud = name.endsWith('too') ? [issuer.issuerUrl, 'https://elsewhere.example'] : undefined;
    expect(await exchange(await signed({ ...claims, ...(aud && { aud }) }))).toMatchObject(refused);
  });

  it('gets none without a signature, or by one with what is public or somebody else’s', async () => {
    await trust();
    const claims = { ...githubClaims(issuer.issuerUrl), iss: github.url };
    const now = Math.floor(Date.now() / 1000);
    const unsigned = new UnsecuredJWT({ ...claims, iat: now, exp: now + 60 }).encode();
    const [key] = github.jwks.keys as [{ n: string; kid: string }];
    const shared = await new SignJWT({ ...claims, iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: key.kid })
      .sign(base64url.decode(key.n));
    await using other = await startWorkloadIssuer();
    const foreign = await other.sign(claims);
    const [head, body] = (await signed()).split('.');
    for (const token of [unsigned, shared, foreign, `${head}.${body}.`, 'x', 'a.b.c']) {
      expect(await exchange(token)).toMatchObject(refused);
    }
  });

  it('gets none for another service account, a workspace’s client or nobody', async () => {
    await trust();
    const token = await signed();
    const other = await createMachine(database, (await createWorkspace(database)).id);
    expect(await exchange(token, { client_id: other.clientId })).toMatchObject(refused);
    expect(await exchange(token, { client_id: workspace.clientId })).toMatchObject(refused);
    expect((await exchange(token, { client_id: 'hexabase-cli' })).status).toBe(400);
    const elsewhere = (await createWorkspace(database)).clientId;
    const audience = await exchange(token, { audience: elsewhere });
    expect(audience).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  it('gets none once the condition or the service account is gone, or the workspace closed', async () => {
    const id = await trust();
    const token = await signed();
    await database.query('UPDATE workspace SET suspended_at = now() WHERE id = $1', [workspace.id]);
    expect((await exchange(token)).body['error']).toBe('invalid_grant');
    await database.query('UPDATE workspace SET suspended_at = NULL WHERE id = $1', [workspace.id]);
    expect((await exchange(token)).status).toBe(200);
    await database.query('DELETE FROM federated_credential WHERE id = $1', [id]);
    expect(await exchange(token)).toMatchObject(refused);
    await database.query('DELETE FROM service_account WHERE id = $1', [machine.id]);
    expect((await exchange(token)).body['error']).toBe('invalid_client');
  });
});

describe('an issuer of workloads', () => {
  it('is not asked unless the service account trusts it', async () => {
    const before = github.asked.length;
    expect(await exchange(await signed())).toMatchObject(refused);
    expect(github.asked).toHaveLength(before);
  });

  it.each([
    [
      'is elsewhere after a redirect',
      '/.well-known/jwks',
      { status: 302, headers: { location: '/keys' } },
    ],
    [
      'speaks of another issuer',
      '/.well-known/openid-configuration',
      {
        status: 200,
        body: JSON.stringify({ issuer: 'https://x.example', jwks_uri: 'https://x.example' }),
      },
    ],
    [
      'has no TLS',
      '/.well-known/openid-configuration',
      { status: 200, body: JSON.stringify({ issuer: 'x', jwks_uri: 'http://127.0.0.1/' }) },
    ],
    [
      'says too much',
      '/.well-known/jwks',
      { status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` },
    ],
    ['fails', '/.well-known/jwks', { status: 500 }],
  ])('that %s lets nobody in', async (_name, path, answer) => {
    await using odd = await startWorkloadIssuer();
    odd.answers.set(path, answer);
    await using own = await startTestIssuer(database, [], {
      encryptionKey,
      federation: { allowedCidrs: ['127.0.0.0/8'], certificateAuthority: odd.ca },
    });
    await using endpoint = tokenEndpointOf(own);
    const audience = own.issuerUrl;
    await machine.trust({ issuer: odd.url, audience, claims: CLAIMS });
    const subject_token = await odd.sign(githubClaims(audience));
    const parameters = { grant_type: TOKEN_EXCHANGE, client_id: machine.clientId };
    const ask = () => endpoint.ask({ ...parameters, subject_token_type: JWT, subject_token });
    expect(await ask()).toMatchObject({
      ...refused,
      body: { error_description: expect.stringContaining('can’t be read') },
    });
    expect(odd.asked).not.toContain('/keys');
  });

  it('at a private address is not asked', async () => {
    await using plain = await startTestIssuer(database, [], {
      encryptionKey,
      federation: { certificateAuthority: github.ca },
    });
    await using endpoint = tokenEndpointOf(plain);
    const before = github.asked.length;
    for (const url of [github.url, github.url.replace('127.0.0.1', 'localhost')]) {
      await machine.trust({ issuer: url, audience: plain.issuerUrl, claims: CLAIMS });
      const answer = await endpoint.ask({
        grant_type: TOKEN_EXCHANGE,
        client_id: machine.clientId,
        subject_token_type: JWT,
        subject_token: await github.sign({
          ...githubClaims(plain.issuerUrl),
          iss: url,
          jti: randomUUID(),
        }),
      });
      expect(answer).toMatchObject(refused);
    }
    expect(github.asked).toHaveLength(before);
  });
});
