import { sql } from 'slonik';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createId } from '#domain/identifiers.ts';
import { joinUpstreamGroups } from '../../support/furnished-workspace.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let ann: Caller;
let workspace: TestWorkspace;

beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  ann = await api.signUp('ann');
  workspace = await api.createWorkspace(admin);
  await joinUpstreamGroups(api.database.query, admin.id, ['acme', 'acme/platform']);
  await joinUpstreamGroups(api.database.query, ann.id, ['acme']);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('row-level security on mappings', () => {
  it('lets the API write no membership as if by a mapping, and end none', async () => {
    const path = `${workspace.path}/groups/${workspace.groups['WSUsers']}/group-mappings`;
    const mapping = { connector: 'github', upstream_group: 'acme/platform' };
    const { body } = await admin.call('POST', path, mapping);
    const pool = await api.database.connectAs('hexabase_tenancy_api');
    const Nothing = z.strictObject({});
    const [{ id: mappingId, group_id: groupId } = { id: '', group_id: '' }] =
      await api.database.query<{ id: string; group_id: string }>(
        'SELECT id, group_id FROM group_mapping WHERE workspace_id = $1',
        [workspace.uuid],
      );
    expect(body.group_mapping.id).toMatch(/^map_/);
    const bob = await api.signUp('bob');
    const as = async (statement: Parameters<typeof pool.query>[0]) =>
      pool.transaction(async (transaction) => {
        await transaction.query(sql.type(z.unknown())`
          SELECT set_config('hexabase.person_id', ${admin.id}, true)
        `);
        return transaction.query(statement);
      });
    await expect(
      as(sql.type(Nothing)`
        INSERT INTO workspace_member (workspace_id, person_id, direct)
        VALUES (${workspace.uuid}, ${bob.id}, false)
      `),
    ).rejects.toThrow(/row-level security/);
    await expect(
      as(sql.type(Nothing)`
        INSERT INTO group_member (workspace_id, person_id, group_id, mapping_id)
        VALUES (${workspace.uuid}, ${ann.id}, ${groupId}, ${mappingId})
      `),
    ).rejects.toThrow(/row-level security/);
    const ended = await as(sql.type(Nothing)`
      DELETE FROM group_member WHERE mapping_id = ${mappingId}
    `);
    expect(ended.rowCount).toBe(0);
  });

  it('applies no mapping of a foreign workspace, and shows nobody’s upstream groups', async () => {
    const stranger = await api.signUp('stranger');
    const mappingId = createId();
    await api.database.query(
      `INSERT INTO group_mapping (id, workspace_id, group_id, connector, upstream_group)
       SELECT $1, workspace_id, id, 'github', 'acme' FROM workspace_group
       WHERE workspace_id = $2 AND name = 'WSUsers'`,
      [mappingId, workspace.uuid],
    );
    const pool = await api.database.connectAs('hexabase_tenancy_api');
    const applied = await pool.transaction(async (transaction) => {
      await transaction.query(sql.type(z.unknown())`
        SELECT set_config('hexabase.person_id', ${stranger.id}, true)
      `);
      return transaction.oneFirst(sql.type(z.strictObject({ members: z.int() }))`
        SELECT apply_group_mapping(${mappingId}) AS members
      `);
    });
    expect(applied).toBe(0);
    expect((await ann.call('GET', workspace.path)).status).toBe(404);
    await expect(
      pool.query(sql.type(z.unknown())`SELECT groups FROM upstream_account`),
    ).rejects.toThrow(/permission denied/);
  });
});
