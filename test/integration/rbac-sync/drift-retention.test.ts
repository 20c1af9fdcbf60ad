/** What is kept of a cluster's writes and of drift, how long, and that one workspace's events say nothing of another's. */
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import type { ClusterWrite } from '../../../rbac-sync/audit/audit-events.ts';
import {
  deleteOldClusterWrites,
  insertClusterWrites,
} from '../../../rbac-sync/audit/audit-queries.ts';
import { deleteOldDrift, explainDrift, trimDrift } from '../../../rbac-sync/drift/queries.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { insertWorkspace } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let db: DatabasePool;
let mine: string;
let other: string;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  db = await database.connectAs('hexabase_rbac_sync');
});
beforeEach(async () => {
  mine = (await insertWorkspace(database, async () => {})).id;
  other = (await insertWorkspace(database, async () => {})).id;
});
afterAll(() => stack.disposeAsync());

const aWrite = (at = new Date()): ClusterWrite => ({
  eventId: createId(),
  verb: 'create',
  resource: 'rolebindings',
  namespace: 'shop',
  name: 'x',
  at,
  actor: {
    username: 'hexabase:framed',
    name: 'Framed',
    email: null,
    impersonated_by: null,
    user_agent: null,
    source_ips: [],
  },
});
const count = async (table: 'cluster_write' | 'drift', workspaceId: string): Promise<number> => {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${table} WHERE workspace_id = $1`,
    [workspaceId],
  );
  return row?.count ?? -1;
};
/** Rows of the ledger, one a second, the first the oldest. */
const insertDrift = (workspaceId: string, rows: number, resolved: string | null = null) =>
  database.query(
    `INSERT INTO drift (id, workspace_id, kind, namespace, name, change, action, reason, managers,
       differences, opened, detected_at, resolved_at)
     SELECT uuidv7(make_interval(secs => i)), $1, 'RoleBinding', 'shop', 'x', 'created', 'reported', '', '{}',
       '[]', '[]', now() - interval '5 seconds', now() - $3::interval
     FROM generate_series(1, $2) AS i`,
    [workspaceId, rows, resolved],
  );

describe('writes that a cluster told of', () => {
  it('are kept for a day', async () => {
    await insertClusterWrites(db, mine, [aWrite(), aWrite()]);
    await database.query(
      `UPDATE cluster_write SET received_at = now() - interval '25 hours'
       WHERE workspace_id = $1 AND audit_id = (SELECT min(audit_id::text)::uuid FROM cluster_write WHERE workspace_id = $1)`,
      [mine],
    );
    await deleteOldClusterWrites(db);
    expect(await count('cluster_write', mine)).toBe(1);
  });

  it('are 20,000 in an hour at most, of each workspace by itself', async () => {
    await database.query(
      `INSERT INTO cluster_write (workspace_id, audit_id, verb, resource, written_at, actor)
       SELECT $1, gen_random_uuid(), 'create', 'roles', now(), '{}' FROM generate_series(1, 20000)`,
      [mine],
    );
    await insertClusterWrites(db, mine, [aWrite()]);
    await insertClusterWrites(db, other, [aWrite()]);
    expect(await count('cluster_write', mine)).toBe(20_000);
    expect(await count('cluster_write', other)).toBe(1);
  });

  it('explain nothing that is yet to come, whatever time they state', async () => {
    await insertClusterWrites(db, mine, [aWrite(new Date(Date.now() + 86_400_000))]);
    const [row] = await database.query<{ past: boolean }>(
      'SELECT written_at <= now() AS past FROM cluster_write WHERE workspace_id = $1',
      [mine],
    );
    expect(row?.past).toBe(true);
  });

  it('name somebody in the ledger of their own workspace and of no other', async () => {
    await insertDrift(mine, 1);
    await insertDrift(other, 1);
    await insertClusterWrites(db, mine, [aWrite(new Date(Date.now() - 5_000))]);
    expect(await explainDrift(db, other)).toBe(0);
    expect(await explainDrift(db, mine)).toBe(1);
  });
});

describe('the drift ledger', () => {
  it('keeps what was closed for 90 days, and what is open', async () => {
    await insertDrift(mine, 1, '89 days');
    await insertDrift(mine, 1, '91 days');
    await insertDrift(mine, 1);
    await deleteOldDrift(db);
    expect(await count('drift', mine)).toBe(2);
  });

  it('keeps about a thousand closed rows of a workspace, and no fewer of another', async () => {
    await insertDrift(mine, 1100, '1 day');
    await insertDrift(other, 1100, '1 day');
    await trimDrift(db, mine);
    expect(Math.abs((await count('drift', mine)) - 1000)).toBeLessThanOrEqual(1);
    expect(await count('drift', other)).toBe(1100);
  });
});
