/** Refresh tokens of kubectl's clients: who gets them, how long they last, and what is told of their reuse. */
import { createHash } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { refresh, signInWithCode, signInWithDevice } from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const metrics = new Registry();
const logLines: string[] = [];
let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let alice: string;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }], { metrics, logLines });
  workspace = await createWorkspace(database);
  alice = await createPerson(database, 'alice');
  await workspace.addMember(alice, await workspace.addGroup('team'));
});
afterAll(async () => {
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
const renew = (refreshToken: string, clientId?: string) =>
  refresh({ ...as(clientId), refreshToken });
const hashOf = (token: string) => createHash('sha256').update(token).digest();
/** The refresh token's time is over sooner. */
const age = (token: string, hours: number) =>
  database.query(
    `UPDATE oidc_artifact SET expires_at = expires_at - make_interval(hours => $2),
       consumed_at = consumed_at - make_interval(hours => $2)
     WHERE model = 'RefreshToken' AND id_hash = $1`,
    [hashOf(token), hours],
  );
const secondsLeft = async (token: string) => {
  const [row] = await database.query<{ left: number }>(
    `SELECT round(extract(epoch FROM expires_at - now()))::int AS left FROM oidc_artifact
     WHERE model = 'RefreshToken' AND id_hash = $1`,
    [hashOf(token)],
  );
  return row?.left;
};

describe('a sign-in gives a refresh token, and each refresh another and an ID token', () => {
  const code = (extraParams: Readonly<Record<string, string>>) => ({
    signIn: signInWithCode,
    extraParams,
  });
  const device = (extraParams: Readonly<Record<string, string>>) => ({
    signIn: signInWithDevice,
    extraParams,
  });
  it.each([
    ['authorization code, as kubelogin comes', code({})],
    ['authorization code without access_type', code({ access_type: '' })],
    ['authorization code, access_type=offline', code({ access_type: 'offline' })],
    ['authorization code, offline_access', code({ scope: 'openid offline_access' })],
    [
      'authorization code, offline_access and prompt=consent',
      code({ scope: 'openid offline_access', prompt: 'consent' }),
    ],
    ['device code, as kubelogin comes', device({})],
    ['device code, access_type=offline', device({ access_type: 'offline' })],
    ['device code, offline_access', device({ scope: 'openid offline_access' })],
    [
      'device code, offline_access and prompt=consent',
      device({ scope: 'openid offline_access', prompt: 'consent' }),
    ],
  ])('%s', async (_name, { signIn, extraParams }) => {
    let tokens = await signIn({ ...as(), extraParams });
    for (let round = 0; round < 3; round += 1) {
      expect(tokens.claims).toMatchObject({ aud: workspace.clientId, groups: ['team'] });
      const next = await renew(tokens.refresh_token);
      expect(next.refresh_token).not.toBe(tokens.refresh_token);
      expect(next.claims['grant']).toBe(tokens.claims['grant']);
      tokens = next;
    }
  });

  it('and every sign-in one of its own: none takes another’s place', async () => {
    const signIns = [await signInWithCode(as()), await signInWithCode(as())];
    signIns.push(await signInWithDevice(as()));
    expect(new Set(signIns.map(({ claims }) => claims['grant'])).size).toBe(3);
    for (const { refresh_token, claims } of signIns) {
      expect((await renew(refresh_token)).claims['grant']).toBe(claims['grant']);
    }
  });
});

describe('a refresh token', () => {
  it('lives eight hours unused, and its successor eight again', async () => {
    const { refresh_token } = await signInWithCode(as());
    expect(await secondsLeft(refresh_token)).toBeCloseTo(28_800, -1);
    await age(refresh_token, 7);
    const { refresh_token: successor } = await renew(refresh_token);
    expect(await secondsLeft(successor)).toBeCloseTo(28_800, -1);
    await age(successor, 9);
    await expect(renew(successor)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it.each([
    ['a workspace', () => workspace.clientId, () => workspace.id],
    ['the command line', () => 'hexabase-cli', () => null],
  ])(
    'of %s that comes again late ends the family, on the record by ids',
    async (_name, clientId, workspaceId) => {
      const first = await signInWithCode(as(clientId()));
      const second = await renew(first.refresh_token, clientId());
      await age(first.refresh_token, 1);
      await expect(renew(first.refresh_token, clientId())).rejects.toMatchObject({
        error: 'invalid_grant',
      });
      await expect(renew(second.refresh_token, clientId())).rejects.toMatchObject({
        error: 'invalid_grant',
      });
      const events = await database.query<{ after: object; request_id: string }>(
        `SELECT e.workspace_id, e.actor_id, e.target_id, e.after, e.request_id, e.ip,
         e.organization_id = coalesce(w.organization_id, o.id) AS owned
       FROM audit_event e
       LEFT JOIN workspace w ON w.id = e.workspace_id
       LEFT JOIN organization o ON o.personal_for = e.actor_id
       WHERE e.action = 'token.refuse-reuse' AND e.after ->> 'client_id' = $1`,
        [clientId()],
      );
      const token = hashOf(first.refresh_token).toString('base64url');
      const ids = {
        client_id: clientId(),
        token_hash: token,
        grant: expect.any(String),
        session: expect.any(String),
      };
      expect(events).toEqual([
        {
          workspace_id: workspaceId(),
          actor_id: alice,
          target_id: alice,
          after: ids,
          request_id: expect.stringMatching(/\S{8,}/),
          ip: null,
          owned: true,
        },
      ]);
      expect(JSON.stringify(events)).not.toContain(first.refresh_token);
      // The same ids are in the log.
      const lines = logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines).toContainEqual(
        expect.objectContaining({ ...events[0]?.after, msg: 'request', path: '/token' }),
      );
    },
  );

  it('that comes again within ten seconds is on no record', async () => {
    const { refresh_token } = await signInWithCode(as());
    await renew(refresh_token);
    await renew(refresh_token);
    const events = await database.query(
      `SELECT FROM audit_event WHERE action = 'token.refuse-reuse' AND after ->> 'token_hash' = $1`,
      [hashOf(refresh_token).toString('base64url')],
    );
    expect(events).toEqual([]);
  });
});

describe('the metrics', () => {
  it('count token requests by grant type and result', async () => {
    const text = await metrics.metrics();
    for (const [grant, result] of [
      ['authorization_code', 'granted'],
      ['device_code', 'granted'],
      ['refresh_token', 'granted'],
      ['refresh_token', 'invalid_grant'],
    ]) {
      expect(text).toMatch(
        new RegExp(`oidc_grants_total\\{grant_type="${grant}",result="${result}"\\} [1-9]`),
      );
    }
  });
});
