/** Revoking now by the API: whose sign-ins end, whose don't, and what is told and recorded of it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import {
  type Caller,
  PLATFORM_ADMIN,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let member: Caller;
let workspace: TestWorkspace;
let other: TestWorkspace;

beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.database.query('DELETE FROM oidc_grant');
  await api.database.query('DELETE FROM ended_grant');
  member = await api.signUp(`member-${randomBytes(4).toString('hex')}`);
  workspace = await api.createWorkspace(admin);
  other = await api.createWorkspace(admin, 'other');
  for (const each of [workspace, other]) await api.addMember(each, member);
});

/** A sign-in as the issuer stores it; answers its hash. */
const signIn = async ({ id }: Caller, clientId: string, lives = '12 hours'): Promise<string> => {
  const hash = randomBytes(32);
  await api.database.query(
    `INSERT INTO oidc_grant (id_hash, account_id, client_id, sealed_payload, expires_at)
     VALUES ($1, $2, $3, '', now() + $4::interval)`,
    [hash, id, clientId, lives],
  );
  return hash.toString('hex');
};
const openSession = ({ id }: Caller) =>
  api.database.query(
    `INSERT INTO oidc_artifact (model, id_hash, uid_hash, account_id, sealed_payload, expires_at)
     VALUES ('Session', $1, $1, $2, '', now() + interval '1 hour')`,
    [randomBytes(32), id],
  );
const left = async (table: 'oidc_grant' | 'ended_grant') =>
  (
    await api.database.query<{ hash: string }>(
      `SELECT encode(id_hash, 'hex') AS hash FROM ${table}`,
    )
  )
    .map(({ hash }) => hash)
    .sort();
const recordsOf = ({ id }: Caller) =>
  api.database.query(
    `SELECT action, before, actor_id FROM audit_event
     WHERE target_id = $1 AND before ? 'sign_ins'`,
    [id],
  );
const revoke = (caller: Caller, person: Caller, where = workspace) =>
  caller.call('POST', `${where.path}/members/${person.person}/revoke`);

describe('an admin', () => {
  it('ends a member’s sign-ins to this workspace, and no others', async () => {
    const mine = [await signIn(member, workspace.id), await signIn(member, workspace.id)];
    const kept = [
      await signIn(member, other.id),
      await signIn(member, 'hexabase-cli'),
      await signIn(admin, workspace.id),
    ];
    const { status, body } = await revoke(admin, member);
    expect([status, body.sign_ins]).toEqual([200, 2]);
    expect(Date.parse(body.refused_from) - Date.now()).toBeLessThanOrEqual(10_000);
    expect(Date.parse(body.old_tokens_until) - Date.now()).toBeLessThanOrEqual(150_000);
    expect(await left('oidc_grant')).toEqual(kept.sort());
    expect(await left('ended_grant')).toEqual(mine.sort());
    expect(await recordsOf(member)).toEqual([
      { action: 'member.revoke', before: { sign_ins: 2 }, actor_id: admin.id },
    ]);
  });

  it('remembers nothing of what had expired', async () => {
    await signIn(member, workspace.id, '-1 second');
    expect((await revoke(admin, member)).body.sign_ins).toBe(1);
    expect(await left('ended_grant')).toEqual([]);
  });

  it('ends those of somebody who has left, too', async () => {
    await signIn(member, workspace.id);
    await admin.call('DELETE', `${workspace.path}/members/${member.person}`);
    expect((await revoke(admin, member)).body.sign_ins).toBe(1);
    expect((await revoke(admin, member)).status).toBe(404);
  });

  it('removes and revokes at once', async () => {
    const kept = await signIn(member, other.id);
    const ended = await signIn(member, workspace.id);
    const path = `${workspace.path}/members/${member.person}?revoke_now=true`;
    const { status, body } = await admin.call('DELETE', path);
    expect([status, body.revocation?.sign_ins]).toEqual([200, 1]);
    expect(await left('ended_grant')).toEqual([ended]);
    expect(await left('oidc_grant')).toEqual([kept]);
    expect((await admin.call('GET', `${workspace.path}/members/${member.person}`)).status).toBe(
      404,
    );
  });

  it('revokes nothing by a removal that doesn’t ask for it', async () => {
    const kept = await signIn(member, workspace.id);
    const { body } = await admin.call('DELETE', `${workspace.path}/members/${member.person}`);
    expect(body.revocation).toBeNull();
    expect(await left('oidc_grant')).toEqual([kept]);
  });

  it('revokes nothing by a removal that is refused', async () => {
    const kept = await signIn(admin, workspace.id);
    const path = `${workspace.path}/members/${admin.person}?revoke_now=true`;
    expect((await admin.call('DELETE', path)).status).toBe(409);
    expect(await left('oidc_grant')).toEqual([kept]);
  });

  it('of another workspace ends nothing', async () => {
    const stranger = await api.signUp(`stranger-${randomBytes(4).toString('hex')}`);
    const kept = await signIn(member, workspace.id);
    expect((await revoke(stranger, member)).status).toBe(404);
    const own = await api.createWorkspace(stranger);
    expect((await revoke(stranger, member, own)).status).toBe(404);
    expect(await left('oidc_grant')).toEqual([kept]);
  });
});

describe('a member', () => {
  it('ends nobody else’s sign-ins', async () => {
    const kept = await signIn(admin, workspace.id);
    expect((await revoke(member, admin)).status).toBe(403);
    const everywhere = await member.call('POST', `/v1/people/${admin.person}/revoke`);
    expect(everywhere.status).toBe(403);
    expect(await left('oidc_grant')).toEqual([kept]);
  });

  it('leaves and revokes at once', async () => {
    const ended = await signIn(member, workspace.id);
    const answer = await member.call('DELETE', `${workspace.path}/membership?revoke_now=true`);
    expect([answer.status, answer.body.revocation?.sign_ins]).toEqual([200, 1]);
    expect(await left('ended_grant')).toEqual([ended]);
  });

  it('signs out everywhere', async () => {
    const ended = [await signIn(member, workspace.id), await signIn(member, other.id)];
    await signIn(member, 'hexabase-cli');
    await openSession(member);
    const kept = await signIn(admin, workspace.id);
    const { status, body } = await member.call('POST', '/v1/me/revoke');
    expect(status).toBe(200);
    expect(body).toMatchObject({ sign_ins: 3, sessions: 1 });
    expect(await left('oidc_grant')).toEqual([kept]);
    expect(await left('ended_grant')).toEqual(ended.sort());
    expect(await recordsOf(member)).toMatchObject([
      { action: 'account.sign-out-everywhere', before: { sign_ins: 3, sessions: 1 } },
    ]);
  });
});

describe('a platform administrator', () => {
  it('signs anybody out everywhere, and is told when there is nobody', async () => {
    const platform = await api.signUp('platform');
    await api.database.query(
      'INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)',
      [PLATFORM_ADMIN.connector, PLATFORM_ADMIN.subject, platform.id],
    );
    const ended = await signIn(member, workspace.id);
    const { status, body } = await platform.call('POST', `/v1/people/${member.person}/revoke`);
    expect([status, body.sign_ins]).toEqual([200, 1]);
    expect(await left('ended_grant')).toEqual([ended]);
    expect(await recordsOf(member)).toMatchObject([
      { action: 'person.revoke', actor_id: platform.id },
    ]);
    const nobody = formatId('person', createId());
    expect((await platform.call('POST', `/v1/people/${nobody}/revoke`)).status).toBe(404);
  });
});
