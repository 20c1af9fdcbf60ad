import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseId } from '#domain/identifiers.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
let path: string;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  path = `/service-accounts/${await createAccount()}`;
});

const send = (method: string, to: string, body?: unknown, headers = {}) =>
  admin.call(method, `${workspace.path}${to}`, body, headers);
const createAccount = async (name = 'bot'): Promise<string> =>
  (await send('POST', '/service-accounts', { name })).body.id;
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const makeJwk = async () => exportJWK((await generateKeyPair('ES256')).publicKey);
const actions = async () =>
  (
    await api.database.query<{ action: string }>(
      'SELECT action FROM audit_event WHERE workspace_id = $1 ORDER BY id',
      [workspace.uuid],
    )
  ).map(({ action }) => action);

describe('a secret of a service account', () => {
  it('is shown once, kept as a hash, listed without it, and deleted', async () => {
    const made = await send('POST', `${path}/secrets`, { lifetime_days: 30 });
    expect(made).toMatchObject({ status: 201, body: { last_used_at: null } });
    const { secret, ...rest } = made.body;
    expect(Date.parse(rest.expires_at) - Date.parse(rest.created_at)).toBe(30 * 86_400_000);
    expect(secret).toMatch(/^hxb_[A-Za-z0-9_-]{43}$/);
    expect(rest.hint).toBe(secret.slice(-4));
    const [row] = await api.database.query<{ hash: Buffer }>(
      'SELECT hash FROM service_account_secret WHERE id = $1',
      [parseId('clientSecret', rest.id)],
    );
    expect(row?.hash).toEqual(createHash('sha256').update(secret).digest());
    expect((await send('GET', `${path}/secrets`)).body.items).toEqual([rest]);
    expect(
      (await send('DELETE', `${path}/secrets/${rest.id}`)).body.old_tokens_until,
    ).toBeDefined();
    expect((await send('GET', `${path}/secrets`)).body.items).toEqual([]);
    expect((await send('DELETE', `${path}/secrets/${rest.id}`)).status).toBe(404);
    expect(await actions()).toEqual(
      expect.arrayContaining(['service-account-secret.create', 'service-account-secret.delete']),
    );
  });

  it('is nowhere in the database but as its hash, not even as the answer to a repetition', async () => {
    const headers = { 'Idempotency-Key': '"once"' };
    const body = { lifetime_days: 1 };
    const first = await send('POST', `${path}/secrets`, body, headers);
    const again = await send('POST', `${path}/secrets`, body, headers);
    expect(again).toMatchObject({ status: 201, body: { ...first.body, secret: null } });
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    const tables = await api.database.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    for (const { name } of tables) {
      const found = await api.database.query(
        `SELECT FROM ${name} t WHERE strpos(t::text, $1) > 0`,
        [first.body.secret],
      );
      expect(found, name).toEqual([]);
    }
  });

  it.each([
    ['never', undefined],
    ['at once', 0],
    ['in more than a year', 366],
  ])('can’t end %s', async (_name, lifetime_days) => {
    const answer = await send('POST', `${path}/secrets`, { lifetime_days });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '#/lifetime_days' }] },
    });
  });

  it('is one of twenty at most', async () => {
    for (let made = 0; made < 20; made += 1) {
      const answer = await send('POST', `${path}/secrets`, { lifetime_days: 1 });
      expect(answer.status).toBe(201);
    }
    const more = await send('POST', `${path}/secrets`, { lifetime_days: 1 });
    expect(more.status).toBe(422);
  });

  it('is of its own service account alone', async () => {
    const { id } = (await send('POST', `${path}/secrets`, { lifetime_days: 1 })).body;
    const other = `/service-accounts/${await createAccount('other')}`;
    expect((await send('DELETE', `${other}/secrets/${id}`)).status).toBe(404);
    expect((await send('GET', `${path}/secrets`)).body.items).toHaveLength(1);
  });
});

describe('a key of a service account', () => {
  it('is added, listed and deleted', async () => {
    const jwk = await makeJwk();
    const made = await send('POST', `${path}/keys`, { jwk, expires_at: inDays(900) });
    expect(made).toMatchObject({ status: 201, body: { algorithm: 'ES256' } });
    const { thumbprint, id } = made.body;
    expect(made.body.jwk).toEqual({ ...jwk, alg: 'ES256', use: 'sig', kid: thumbprint });
    expect((await send('GET', `${path}/keys`)).body.items).toEqual([made.body]);
    const again = await send('POST', `${path}/keys`, { jwk });
    expect(again).toMatchObject({ status: 409, body: { errors: [{ pointer: '#/jwk' }] } });
    expect((await send('DELETE', `${path}/keys/${id}`)).status).toBe(200);
    expect((await send('GET', `${path}/keys`)).body.items).toEqual([]);
  });

  it('is refused with its private part, which the answer doesn’t repeat', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const answer = await send('POST', `${path}/keys`, { jwk });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toContain(jwk.d);
  });
});

describe('a federated credential', () => {
  const GITHUB = 'https://token.actions.githubusercontent.com';
  const trust = (body: object) =>
    send('POST', `${path}/federated-credentials`, {
      issuer: GITHUB,
      claims: { sub: 'repo:acme/web:*' },
      ...body,
    });

  it('is made for tokens for this platform, listed and deleted', async () => {
    const made = await trust({ single_use: true });
    expect(made).toMatchObject({
      status: 201,
      body: {
        issuer: GITHUB,
        claims: { sub: 'repo:acme/web:*' },
        jwks: null,
        single_use: true,
        last_used_at: null,
      },
    });
    expect(made.body.audience).toMatch(/^https:/);
    const list = `${path}/federated-credentials`;
    expect((await send('GET', list)).body.items).toEqual([made.body]);
    expect((await send('DELETE', `${list}/${made.body.id}`)).status).toBe(200);
    expect((await send('GET', list)).body.items).toEqual([]);
  });

  it('has keys of its own where its issuer can’t be reached', async () => {
    const jwk = await makeJwk();
    const made = await trust({ issuer: 'https://kubernetes.default.svc', jwks: { keys: [jwk] } });
    expect(made.body.jwks.keys).toEqual([{ ...jwk, alg: 'ES256' }]);
  });

  it.each([
    ['everybody’s tokens', { claims: { sub: '*' } }, '#/claims/sub'],
    ['every repository', { claims: { sub: 'repo:*' } }, '#/claims/sub'],
    ['a name’s beginning', { claims: { sub: 'repo:acme/web*' } }, '#/claims/sub'],
    ['a branch of anybody', { claims: { ref: 'refs/heads/main' } }, '#/claims'],
    ['no condition', { claims: {} }, '#/claims'],
    ['tokens for somebody else', { audience: 'sts.amazonaws.com' }, '#/audience'],
  ])('is not made for %s', async (_name, body, pointer) => {
    expect(await trust(body)).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
  });

  it('is not made for our own tokens', async () => {
    const { audience } = (await trust({})).body;
    const answer = await trust({ issuer: audience });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/issuer' }] } });
  });

  it.each([
    'http://issuer.example',
    'https://issuer.example?x',
    'https://issuer.example/#x',
    'https://u:p@issuer.example',
    'HTTPS://issuer.example',
    'https://issuer.example/../x',
    'issuer.example',
  ])('is not made for %s', async (issuer) => {
    const answer = await trust({ issuer });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/issuer' }] } });
  });
});
