import { randomUUID } from 'node:crypto';
import { sql } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { refresh, SignInRefusedError, type Tokens } from '../../support/oidc-client.ts';
import { expectNoneLogged } from '../../support/refusals.ts';
import { oidcConnector, startUpstreamIssuer, type UpstreamIssuer } from '../../support/upstream.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';
import { letTimePass, mapGroup, memberOf, membershipsOf } from './upstream-rows.ts';

let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;
let workspace: TestWorkspace;
let groups: { readonly engineering: string; readonly platform: string; readonly oncall: string };
let subject: string;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, {
    corp: oidcConnector(provider, { groups_claim: 'groups' }),
  });
});
afterAll(async () => {
  expectNoneLogged(issuer.logLines, provider.secrets);
  for (const each of [issuer, provider, database]) await each[Symbol.asyncDispose]();
});
beforeEach(async () => {
  subject = `sub-${randomUUID()}`;
  provider.behave({});
  workspace = await createWorkspace(database);
  const engineering = await workspace.addGroup('engineering');
  groups = {
    engineering,
    platform: await workspace.addGroup('platform', engineering),
    oncall: await workspace.addGroup('oncall'),
  };
});

/** What the provider says from now on. */
const isIn = (...upstream: string[]): void =>
  provider.setPerson({
    sub: subject,
    name: 'Ann',
    email: 'ann@example.test',
    email_verified: true,
    groups: upstream,
  });

const signIn = () => issuer.signIn('corp', { clientId: workspace.clientId });

const renew = ({ refresh_token }: Tokens) =>
  refresh({ ...issuer, clientId: workspace.clientId, refreshToken: refresh_token });

const groupsOf = ({ claims }: Tokens) => claims['groups'];

const personId = async () => {
  const [row] = await database.query<{ person_id: string }>(
    'SELECT person_id FROM identity WHERE subject = $1',
    [subject],
  );
  return row?.person_id ?? '';
};

const events = async () => {
  const rows = await database.query<{ action: string; actor_id: string | null }>(
    'SELECT action, actor_id FROM audit_event WHERE workspace_id = $1 ORDER BY id',
    [workspace.id],
  );
  return rows.map(({ action, actor_id }) => `${action} by ${actor_id ?? 'nobody'}`);
};

describe('a mapped upstream group', () => {
  it('makes its members members of the workspace and the group, on record', async () => {
    const mapping = { group: groups.platform, upstream: 'acme/platform' };
    const mappingId = await mapGroup(database, workspace, mapping);
    isIn('acme', 'acme/platform', 'acme/platform');

    expect(groupsOf(await signIn())).toEqual(['engineering', 'platform']);

    expect(await memberOf(database, workspace, subject)).toBe('mapped');
    expect(await membershipsOf(database, workspace, subject)).toEqual(['platform (mapped)']);
    expect(await events()).toEqual(['group-member.add by nobody']);
    const kinds = await database.query(
      'SELECT kind, payload FROM outbox WHERE workspace_id = $1 ORDER BY id',
      [workspace.id],
    );
    expect(kinds).toEqual([
      { kind: 'group-member.add', payload: { target_id: groups.platform, actor: null } },
    ]);
    const [event] = await database.query<{ after: Record<string, string> }>(
      'SELECT after FROM audit_event WHERE workspace_id = $1',
      [workspace.id],
    );
    expect(event?.after['person_id']).toBe(await personId());
    expect(event?.after['mapping']).toMatch(/^map_/);
    const [row] = await database.query('SELECT mapping_id FROM group_member WHERE group_id = $1', [
      groups.platform,
    ]);
    expect(row).toEqual({ mapping_id: mappingId });
  });

  it('is matched to the byte, and of its own connector', async () => {
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/Platform' });
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/platform ' });
    await mapGroup(database, workspace, {
      group: groups.platform,
      upstream: 'acme/platform',
      connector: 'other',
    });
    isIn('acme/platform');
    await expect(signIn()).rejects.toBeInstanceOf(SignInRefusedError);
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
  });

  it('is asked about again after five minutes, not before', async () => {
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/platform' });
    await mapGroup(database, workspace, { group: groups.oncall, upstream: 'acme/oncall' });
    isIn('acme/platform', 'acme/oncall');
    const tokens = await signIn();
    const asked = provider.requests.length;

    isIn('acme/oncall');
    const early = await renew(tokens);
    expect(groupsOf(early)).toEqual(['engineering', 'oncall', 'platform']);
    expect(provider.requests).toHaveLength(asked);

    await letTimePass(database, subject);
    const late = await renew(early);
    expect(groupsOf(late)).toEqual(['oncall']);
    expect(await membershipsOf(database, workspace, subject)).toEqual(['oncall (mapped)']);

    isIn('acme/oncall', 'acme/platform');
    await letTimePass(database, subject);
    expect(groupsOf(await renew(late))).toEqual(['engineering', 'oncall', 'platform']);
    expect((await events()).map((event) => event.split(' ')[0])).toEqual([
      'group-member.add',
      'group-member.add',
      'group-member.remove',
      'group-member.add',
    ]);
  });

  it('takes the workspace away with the last group', async () => {
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/platform' });
    isIn('acme/platform');
    const tokens = await signIn();
    isIn();
    await letTimePass(database, subject);
    await expect(renew(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
    await expect(signIn()).rejects.toBeInstanceOf(SignInRefusedError);
  });

  it('takes nothing that somebody gave', async () => {
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/platform' });
    isIn('acme/platform');
    const tokens = await signIn();
    const person = await personId();
    await workspace.addMember(person, groups.oncall, groups.platform);
    await database.query('UPDATE workspace_member SET direct = true WHERE person_id = $1', [
      person,
    ]);
    expect(await membershipsOf(database, workspace, subject)).toEqual([
      'oncall',
      'platform',
      'platform (mapped)',
    ]);

    isIn();
    await letTimePass(database, subject);
    expect(groupsOf(await renew(tokens))).toEqual(['engineering', 'oncall', 'platform']);
    expect(await membershipsOf(database, workspace, subject)).toEqual(['oncall', 'platform']);
    expect(await memberOf(database, workspace, subject)).toBe('direct');
  });

  it('gives by each mapping by itself, so that one that ends takes nothing of another', async () => {
    const first = await mapGroup(database, workspace, { group: groups.oncall, upstream: 'a' });
    const second = await mapGroup(database, workspace, { group: groups.oncall, upstream: 'b' });
    isIn('a', 'b');
    const tokens = await signIn();
    expect(await membershipsOf(database, workspace, subject)).toEqual([
      'oncall (mapped)',
      'oncall (mapped)',
    ]);

    await database.query('DELETE FROM group_mapping WHERE id = $1', [first]);
    expect(await membershipsOf(database, workspace, subject)).toEqual(['oncall (mapped)']);
    const renewed = await renew(tokens);
    expect(groupsOf(renewed)).toEqual(['oncall']);

    await database.query('DELETE FROM group_mapping WHERE id = $1', [second]);
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
    await expect(renew(renewed)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('goes with its group', async () => {
    await mapGroup(database, workspace, { group: groups.oncall, upstream: 'a' });
    isIn('a');
    await signIn();
    await database.query('DELETE FROM workspace_group WHERE id = $1', [groups.oncall]);
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
  });

  it('opens the API as it opens the cluster: the command line’s token is looked at too', async () => {
    await mapGroup(database, workspace, { group: groups.oncall, upstream: 'a' });
    isIn('a');
    const cli = { ...issuer, clientId: 'hexabase-cli' };
    const { refresh_token: refreshToken } = await issuer.signIn('corp', cli);
    expect(await memberOf(database, workspace, subject)).toBe('mapped');
    isIn();
    await letTimePass(database, subject);
    await refresh({ ...cli, refreshToken });
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
  });
});

describe('the issuer’s role in the database', () => {
  const Nothing = z.strictObject({});

  it('makes and ends no membership but mapped ones', async () => {
    isIn();
    await issuer.signIn('corp');
    const person = await personId();
    const { database: pool } = issuer;
    const joins = pool.query(sql.type(Nothing)`
      INSERT INTO workspace_member (workspace_id, person_id, direct)
      VALUES (${workspace.id}, ${person}, true)
    `);
    await expect(joins).rejects.toThrow(/row-level security/);
    await workspace.addMember(person, groups.oncall);
    const isPutIn = pool.query(sql.type(Nothing)`
      INSERT INTO group_member (workspace_id, person_id, group_id)
      VALUES (${workspace.id}, ${person}, ${groups.platform})
    `);
    await expect(isPutIn).rejects.toThrow(/row-level security/);
    const { rowCount } = await pool.query(sql.type(Nothing)`
      DELETE FROM group_member WHERE person_id = ${person}
    `);
    expect(rowCount).toBe(0);
    expect(await membershipsOf(database, workspace, subject)).toEqual(['oncall']);
  });
});
