import pg from 'pg';
import { type DatabasePool, sql } from 'slonik';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createId } from '#domain/identifiers.ts';
import { insertDrift } from '../../support/drift-rows.ts';
import { joinUpstreamGroups } from '../../support/furnished-workspace.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let pool: DatabasePool;
let alice: Caller;
let bob: Caller;
let hers: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  pool = await api.database.connectAs('hexabase_tenancy_api');
  [alice, bob] = await Promise.all([api.signUp('alice'), api.signUp('bob')]);
  hers = await furnish(alice);
  await furnish(bob);
});
afterAll(() => api[Symbol.asyncDispose]());

/** A workspace with something in every table. */
const furnish = async (caller: Caller): Promise<TestWorkspace> => {
  const workspace = await api.createWorkspace(caller);
  const { path } = workspace;
  const { project } = (await caller.call('POST', `${path}/projects`, { name: 'web' })).body;
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const roles = `${path}/projects/${project.id}/roles`;
  const { project_role: role } = (await caller.call('POST', roles, { name: 'r', rules })).body;
  const group = workspace.groups['WSUsers'];
  const grant = { group, project: project.id, project_role: role.id };
  expect((await caller.call('POST', `${path}/role-assignments`, grant)).status).toBe(202);
  const accounts = `${path}/service-accounts`;
  const account = await caller.call('POST', accounts, { name: 'robot' });
  const membership = `${path}/groups/${group}/service-accounts/${account.body.id}`;
  expect((await caller.call('PUT', membership)).status).toBeLessThan(300);
  await joinUpstreamGroups(api.database.query, caller.id, [`team-of-${caller.id}`]);
  const mapping = { connector: 'github', upstream_group: `team-of-${caller.id}` };
  const mapped = await caller.call('POST', `${path}/groups/${group}/group-mappings`, mapping);
  expect(mapped.status).toBe(201);
  const again = { 'Idempotency-Key': '"once"' };
  expect((await caller.call('POST', accounts, { name: 'other' }, again)).status).toBe(201);
  expect((await caller.call('POST', `${path}/diffs`)).status).toBe(202);
  await insertDrift(api.database, workspace.uuid);
  await api.database.query(
    `INSERT INTO workspace_cluster (workspace_id, provisioner, server, certificate_authority)
     VALUES ($1, 'local', 'https://x', 'ca')`,
    [workspace.uuid],
  );
  return workspace;
};

const Ids = z.strictObject({ id: z.string() });

/** Table → what of a row says whose it is. */
const TABLES = {
  person: 'id',
  organization: 'id',
  organization_user: 'organization_id',
  workspace: 'id',
  workspace_member: 'workspace_id',
  workspace_group: 'workspace_id',
  group_member: 'workspace_id',
  group_mapping: 'workspace_id',
  project: 'workspace_id',
  project_role: 'workspace_id',
  role_assignment: 'workspace_id',
  task: 'workspace_id',
  workspace_diff: 'workspace_id',
  drift: 'workspace_id',
  workspace_cluster: 'workspace_id',
  service_account: 'workspace_id',
  group_service_account: 'workspace_id',
  idempotency_key: 'person_id',
} as const;

const read = (personId: string, table: string, column: string): Promise<readonly string[]> =>
  pool.transaction(async (tx) => {
    await tx.query(sql.unsafe`SELECT set_config('hexabase.person_id', ${personId}, true)`);
    return tx.anyFirst(sql.type(Ids)`
      SELECT ${sql.identifier([column])}::text AS id FROM ${sql.identifier([table])}
    `);
  });

const writeAs = async (personId: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: api.database.urlFor('hexabase_tenancy_api') });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SELECT set_config('hexabase.person_id', $1, true)`, [personId]);
    await client.query(statement);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
};

describe.each(Object.entries(TABLES))('row-level security on %s', (table, column) => {
  it('shows what is one’s own and nothing foreign', async () => {
    const foreign = new Set(
      (await api.database.query<{ id: string }>(`SELECT ${column}::text AS id FROM ${table}`)).map(
        (row) => row.id,
      ),
    );
    const own = await read(alice.id, table, column);
    expect(own.length).toBeGreaterThan(0);
    for (const id of await read(bob.id, table, column)) {
      expect(own).not.toContain(id);
      expect(foreign).toContain(id);
    }
  });

  it('shows nothing to nobody and to a stranger nothing but themselves', async () => {
    expect(await read('', table, column)).toEqual([]);
    expect(await read(createId(), table, column)).toEqual([]);
  });
});

/** A statement about what is Alice's, by Bob. */
const toText = (statement: string): string =>
  statement.replaceAll("'WS'", `'${hers.uuid}'`).replaceAll("'ME'", `'${bob.id}'`);

describe('row-level security on writing', () => {
  it.each([
    [
      'workspace_group',
      `INSERT INTO workspace_group (id, workspace_id, name, display_name) VALUES (gen_random_uuid(), 'WS', 'x', 'x')`,
    ],
    [
      'workspace_member',
      `INSERT INTO workspace_member (workspace_id, person_id) VALUES ('WS', 'ME')`,
    ],
    [
      'project',
      `INSERT INTO project (id, workspace_id, name, display_name) VALUES (gen_random_uuid(), 'WS', 'x', 'x')`,
    ],
    [
      'task',
      `INSERT INTO task (id, workspace_id, kind, generation, created_by) VALUES (gen_random_uuid(), 'WS', 'x', 1, 'ME')`,
    ],
    [
      'audit_event',
      `INSERT INTO audit_event (id, organization_id, workspace_id, action) VALUES (gen_random_uuid(), gen_random_uuid(), 'WS', 'x')`,
    ],
    [
      'outbox',
      `INSERT INTO outbox (organization_id, workspace_id, kind, payload) VALUES (gen_random_uuid(), 'WS', 'x', '{}')`,
    ],
    [
      'service_account',
      `INSERT INTO service_account (id, workspace_id, name, display_name) VALUES (gen_random_uuid(), 'WS', 'x', 'x')`,
    ],
  ])('refuses a foreign %s', async (_, statement) => {
    const text = toText(statement);
    await expect(writeAs(bob.id, text)).rejects.toThrow(/row-level security/);
  });

  it('changes and deletes nothing foreign', async () => {
    const before = await api.database.query('SELECT * FROM workspace_group ORDER BY id');
    await writeAs(
      bob.id,
      `UPDATE workspace_group SET display_name = 'x' WHERE workspace_id = '${hers.uuid}'`,
    );
    await writeAs(bob.id, `DELETE FROM workspace_group WHERE workspace_id = '${hers.uuid}'`);
    await writeAs(bob.id, `UPDATE workspace SET generation = 99 WHERE id = '${hers.uuid}'`);
    expect(await api.database.query('SELECT * FROM workspace_group ORDER BY id')).toEqual(before);
    expect((await alice.call('GET', hers.path)).body.generation).toBeLessThan(99);
  });

  it.each([
    `UPDATE workspace SET delete_after = now() WHERE id = 'WS'`,
    `UPDATE service_account SET display_name = 'x' WHERE workspace_id = 'WS'`,
    `DELETE FROM group_service_account WHERE workspace_id = 'WS'`,
  ])('touches nothing by %s', async (statement) => {
    const everything = () =>
      api.database.query(
        `SELECT (SELECT json_agg(w ORDER BY id) FROM workspace w) AS workspaces,
           (SELECT json_agg(s ORDER BY id) FROM service_account s) AS accounts,
           (SELECT count(*) FROM group_service_account) AS memberships`,
      );
    const before = await everything();
    await writeAs(bob.id, toText(statement));
    expect(await everything()).toEqual(before);
  });

  it.each(['audit_event', 'outbox'])('writes no %s of a foreign workspace', async (table) => {
    const [organization] = await api.database.query<{ id: string }>(
      'SELECT id FROM organization WHERE personal_for = $1',
      [bob.id],
    );
    const values = `'${organization?.id}', '${hers.uuid}'`;
    const statement =
      table === 'outbox'
        ? `INSERT INTO outbox (organization_id, workspace_id, kind, payload) VALUES (${values}, 'x', '{}')`
        : `INSERT INTO audit_event (id, organization_id, workspace_id, actor_id, action)
           VALUES (gen_random_uuid(), ${values}, '${bob.id}', 'x')`;
    await expect(writeAs(bob.id, statement)).rejects.toThrow(/row-level security/);
  });

  it('gives no group another name, and makes none a preset', async () => {
    for (const change of ["name = 'x'", 'preset = true', 'workspace_id = gen_random_uuid()']) {
      const statement = `UPDATE workspace_group SET ${change} WHERE workspace_id = '${hers.uuid}'`;
      await expect(writeAs(alice.id, statement)).rejects.toThrow(/permission denied/);
    }
  });

  it('leaves what has happened alone: audit events can be neither read nor changed', async () => {
    for (const statement of [
      'SELECT id FROM audit_event',
      'DELETE FROM audit_event',
      'DELETE FROM outbox',
    ]) {
      await expect(writeAs(alice.id, statement)).rejects.toThrow(/permission denied/);
    }
  });
});
