/** Tokens of service accounts by secret and by key: what they say, and everything that gets none. */
import { type JWTPayload, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import {
  basicAuth,
  JWT_BEARER,
  signAssertion,
  type TokenEndpoint,
  tokenEndpointOf,
} from '../../support/token-endpoint.ts';
import { createMachine, type TestMachine } from './machine-rows.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let issuer: TestIssuer;
let tokens: TokenEndpoint;
let workspace: TestWorkspace;
let machine: TestMachine;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  issuer = stack.use(await startTestIssuer(database, [{ username: 'alice' }]));
  tokens = stack.use(tokenEndpointOf(issuer));
});
beforeEach(async () => {
  workspace = await createWorkspace(database);
  machine = await createMachine(database, workspace.id);
});
afterAll(() => stack.disposeAsync());

const grant = { grant_type: 'client_credentials' };
const withSecret = (secret: string, parameters = {}, clientId = machine.clientId) =>
  tokens.ask({ ...grant, ...parameters }, basicAuth(clientId, secret));

const invalidClient = { status: 401, body: { error: 'invalid_client' } };

describe('a service account with a secret', () => {
  it('gets a short token of its workspace with all its groups, and nothing to refresh it by', async () => {
    const top = await workspace.addGroup('top');
    await machine.join(await workspace.addGroup('deployers', top));
    await workspace.addGroup('others');
    const { status, body } = await withSecret(await machine.addSecret());
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 120,
    });
    const claims = await tokens.read(body['access_token']);
    expect(claims).toEqual({
      iss: issuer.issuerUrl,
      sub: machine.clientId,
      aud: workspace.clientId,
      name: 'Deploys',
      groups: ['deployers', 'top'],
      workspace: workspace.clientId,
      iat: expect.any(Number),
      exp: (claims.iat ?? 0) + 120,
    });
  });

  it('in too many groups gets those that decide something', async () => {
    const secret = await machine.addSecret();
    for (let index = 0; index < 101; index += 1) {
      const group = await workspace.addGroup(`group-${index}`);
      await machine.join(group);
      if (index > 1) continue;
      await database.query(
        "INSERT INTO role_assignment (id, workspace_id, group_id, preset_role) VALUES (gen_random_uuid(), $1, $2, 'workspace-viewer')",
        [workspace.id, group],
      );
    }
    const { body } = await withSecret(secret);
    const { groups } = await tokens.read(body['access_token']);
    expect(groups).toEqual(['group-0', 'group-1']);
  });

  it('may send it in the body', async () => {
    const client_secret = await machine.addSecret();
    const answer = await tokens.ask({ ...grant, client_id: machine.clientId, client_secret });
    expect(answer.status).toBe(200);
  });

  it('has several at once, and its token ends with the first of its memberships', async () => {
    const secrets = [await machine.addSecret(), await machine.addSecret()];
    await machine.join(await workspace.addGroup('brief'), new Date(Date.now() + 30_000));
    for (const secret of secrets) {
      const { body } = await withSecret(secret);
      const { exp = 0, iat = 0 } = await tokens.read(body['access_token']);
      expect(exp - iat).toBeLessThanOrEqual(30);
      expect(Number(body['expires_in'])).toBe(exp - iat);
    }
  });

  it('is seen to have used it', async () => {
    const unused = await machine.addSecret();
    const used = await machine.addSecret();
    await withSecret(used);
    const rows = await database.query(
      'SELECT hint, last_used_at IS NOT NULL AS used FROM service_account_secret WHERE service_account_id = $1 ORDER BY id',
      [machine.id],
    );
    expect(rows).toEqual([
      { hint: unused.slice(-4), used: false },
      { hint: used.slice(-4), used: true },
    ]);
  });

  it('gets none by a secret that has expired, was removed, or is another’s', async () => {
    const expired = await machine.addSecret(new Date(Date.now() - 1000));
    expect(await withSecret(expired)).toMatchObject(invalidClient);
    const secret = await machine.addSecret();
    const other = await createMachine(database, (await createWorkspace(database)).id);
    expect(await withSecret(secret, {}, other.clientId)).toMatchObject(invalidClient);
    expect((await withSecret(secret)).status).toBe(200);
    await database.query('DELETE FROM service_account_secret WHERE service_account_id = $1', [
      machine.id,
    ]);
    expect(await withSecret(secret)).toMatchObject(invalidClient);
  });

  it('gets none by what stands where the secret of others does', async () => {
    await machine.addSecret();
    for (const secret of ['in the table service_account_secret', 'x', machine.clientId]) {
      expect(await withSecret(secret)).toMatchObject(invalidClient);
    }
  });

  it('gets none once it is gone', async () => {
    const secret = await machine.addSecret();
    expect((await withSecret(secret)).status).toBe(200);
    await database.query('DELETE FROM service_account WHERE id = $1', [machine.id]);
    expect(await withSecret(secret)).toMatchObject(invalidClient);
  });

  it.each([
    ['suspended', 'suspended_at = now()'],
    ['being deleted', `delete_after = now() + interval '1 day'`],
  ])('gets none while its workspace is %s', async (_name, assignment) => {
    const secret = await machine.addSecret();
    await database.query(`UPDATE workspace SET ${assignment} WHERE id = $1`, [workspace.id]);
    expect(await withSecret(secret)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: expect.stringContaining('workspace') },
    });
  });

  it('gets none for another workspace, the API, or nobody it could be', async () => {
    const secret = await machine.addSecret();
    const elsewhere = (await createWorkspace(database)).clientId;
    for (const audience of [elsewhere, issuer.apiAudience, formatId('workspace', createId())]) {
      const answer = await withSecret(secret, { audience });
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    }
    expect((await withSecret(secret, { audience: workspace.clientId })).status).toBe(200);
    // Of no meaning for this grant, and so without effect.
    const { body } = await withSecret(secret, { resource: issuer.apiAudience, scope: 'api' });
    expect(await tokens.read(body['access_token'])).toMatchObject({ aud: workspace.clientId });
  });

  it.each([
    ['authorization_code', { code: 'x', redirect_uri: 'http://localhost' }],
    ['refresh_token', { refresh_token: 'x' }],
    ['urn:ietf:params:oauth:grant-type:device_code', { device_code: 'x' }],
  ])('has no part in %s', async (grant_type, parameters) => {
    const answer = await withSecret(await machine.addSecret(), { ...parameters, grant_type });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('gets nothing by its name alone', async () => {
    const answer = await tokens.ask({ ...grant, client_id: machine.clientId });
    expect(answer.status).toBe(400);
    expect(answer.body['access_token']).toBeUndefined();
  });
});

describe('a service account with a key', () => {
  const withKey = async (
    key: Awaited<ReturnType<TestMachine['addKey']>>,
    claims: JWTPayload = {},
  ) => {
    const who = { clientId: machine.clientId, audience: issuer.issuerUrl, key };
    return tokens.ask({
      ...grant,
      client_assertion_type: JWT_BEARER,
      client_assertion: await signAssertion(who, claims),
    });
  };

  it.each(['ES256', 'RS256', 'EdDSA'])('signs by %s', async (algorithm) => {
    const key = await machine.addKey(algorithm);
    const { status, body } = await withKey(key);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(await tokens.read(body['access_token'])).toMatchObject({ sub: machine.clientId });
    const [row] = await database.query<{ used: boolean }>(
      'SELECT last_used_at IS NOT NULL AS used FROM service_account_key WHERE thumbprint = $1',
      [key.kid],
    );
    expect(row).toEqual({ used: true });
  });

  it('may sign for the token endpoint', async () => {
    const answer = await withKey(await machine.addKey(), { aud: `${issuer.issuerUrl}/token` });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['for somebody else', { aud: 'https://elsewhere.example' }],
    ['for somebody else too', { aud: [] }],
    ['in another’s name', { iss: 'hexabase-cli' }],
    ['long ago', { exp: 2 }],
    ['for far too long', { exp: Math.floor(Date.now() / 1000) + 86_400 }],
    ['without a name for it', { jti: '' }],
  ])('gets none by what it signed %s', async (name, claims) => {
    const aud = name.endsWith('too') ? [issuer.issuerUrl, 'https://elsewhere.example'] : undefined;
    const answer = await withKey(await machine.addKey(), { ...claims, ...(aud && { aud }) });
    expect(answer).toMatchObject(invalidClient);
  });

  it('gets none by an assertion that came before', async () => {
    const key = await machine.addKey();
    const who = { clientId: machine.clientId, audience: issuer.issuerUrl, key };
    const client_assertion = await signAssertion(who);
    const again = () =>
      tokens.ask({ ...grant, client_assertion_type: JWT_BEARER, client_assertion });
    const answers = await Promise.all([again(), again(), again(), again()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
  });

  it('gets none by a key that has expired, by another’s, or without any', async () => {
    const other = await createMachine(database, workspace.id);
    expect(await withKey(await other.addKey())).toMatchObject({
      body: { error: 'invalid_client' },
    });
    expect(await withKey(await machine.addKey('ES256', new Date(Date.now() - 1000)))).toMatchObject(
      { body: { error: 'invalid_client' } },
    );
    await machine.addKey();
    expect(await withKey(await other.addKey())).toMatchObject(invalidClient);
  });

  it('gets none without a signature, or by one whose key is public', async () => {
    const { kid } = await machine.addKey('RS256');
    const [row] = await database.query<{ jwk: { n: string } }>(
      'SELECT jwk FROM service_account_key WHERE thumbprint = $1',
      [kid],
    );
    const shared = { kty: 'oct', k: row?.jwk.n as string, alg: 'HS256', kid: kid as string };
    expect(await withKey(shared)).toMatchObject(invalidClient);
    const now = Math.floor(Date.now() / 1000);
    const { clientId } = machine;
    const client_assertion = new UnsecuredJWT({
      ...{ iss: clientId, sub: clientId, aud: issuer.issuerUrl, jti: createId(), exp: now + 60 },
    }).encode();
    const answer = await tokens.ask({
      ...grant,
      client_assertion_type: JWT_BEARER,
      client_assertion,
    });
    expect(answer).toMatchObject(invalidClient);
  });
});
