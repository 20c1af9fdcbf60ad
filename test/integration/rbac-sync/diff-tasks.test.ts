/** How diffs begin and end: without a cluster, by another replica, by a suspension, with time. */
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { releaseLeases } from '../../../rbac-sync/queue/leases.ts';
import { finishTasks } from '../../../rbac-sync/workspace/task-queries.ts';
import type { TestDatabase } from '../../support/database.ts';
import {
  createDiffedWorkspace,
  type DiffedWorkspace,
  WORKER,
} from '../../support/diffed-workspace.ts';
import { answerAs, insertDiff, readDiff, toLines, untilDiffEnded } from '../../support/diffs.ts';
import { ensurePlane, type TestProvisioner } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { aGroup, type WorkspaceRows } from '../../support/workspace-rows.ts';

let world: DiffedWorkspace;
let database: TestDatabase;
let db: DatabasePool;
let planes: TestProvisioner;
let workspace: WorkspaceRows;
beforeAll(async () => {
  world = await createDiffedWorkspace();
  ({ database, db, planes, workspace } = world);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const settle = () => world.settle();
const diff = () => world.diff();
const startSync = () => world.startSync();

describe('before there is a cluster', () => {
  it('everything is to be made, and no API server was asked', async () => {
    const { state, result } = await untilDiffEnded(database, world.early);
    expect(state).toBe('succeeded');
    expect(toLines(result?.objects)).toEqual(
      expect.arrayContaining([
        'create Namespace shop',
        'create ResourceQuota shop/hexabase-plan',
        'create Role shop/hexabase:pod-reader',
      ]),
    );
    for (const each of result?.objects ?? []) {
      expect(each).toMatchObject({ action: 'create', before: null, checked: false, refusal: null });
    }
    expect(result?.notes).toEqual([expect.stringMatching(/^There is no cluster yet/)]);
  });
});

describe('a diff', () => {
  beforeEach(settle);

  it('is answered by the next replica when the one that began it is gone', async () => {
    const id = await insertDiff(database, workspace.id);
    await answerAs(db, 'one', workspace.id);
    await database.query(
      `UPDATE task SET state = 'running', finished_at = NULL
       WHERE id = (SELECT task_id FROM workspace_diff WHERE id = $1)`,
      [id],
    );
    await database.query('UPDATE workspace_diff SET result = NULL WHERE id = $1', [id]);
    await expect(answerAs(db, 'two', workspace.id)).rejects.toThrow('somebody else');
    await releaseLeases(db, 'one');
    await answerAs(db, 'two', workspace.id);
    expect(await readDiff(database, id)).toMatchObject({ state: 'succeeded' });
    await releaseLeases(db, 'two');
  });

  it('ends with what is wrong when the API server can’t be reached, and holds up nothing', async () => {
    await planes.provisioner.suspend(workspace.id);
    const id = await insertDiff(database, workspace.id);
    await answerAs(db, WORKER, workspace.id);
    const { state, error } = await readDiff(database, id);
    expect(state).toBe('failed');
    expect(error).toMatch(/can’t be reached just now/);
    await ensurePlane(planes.provisioner, workspace.id);
    await settle();
  });

  it('ends when the API server takes too long for all that is asked', async () => {
    const id = await insertDiff(database, workspace.id);
    await answerAs(db, WORKER, workspace.id, { longestMs: 1 });
    expect(await readDiff(database, id)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/took too long/),
    });
  });

  it('is found without a ring, and raises and ends no generation', async () => {
    await using _sync = await startSync();
    const before = await workspace.row();
    const id = await insertDiff(database, workspace.id);
    expect(await untilDiffEnded(database, id)).toMatchObject({ state: 'succeeded' });
    const after = await workspace.row();
    expect(after.generation).toBe(before.generation);
    expect(after.observed_generation).toBe(before.observed_generation);
  });

  it('is not ended by what is seen of a generation', async () => {
    const id = await insertDiff(database, workspace.id);
    const generation = await workspace.changeSilently('group.create', aGroup(workspace.id, 'late'));
    await database.query(
      `UPDATE task SET state = 'running' WHERE workspace_id = $1 AND generation IS NULL`,
      [workspace.id],
    );
    await finishTasks(db, { workspaceId: workspace.id, generation }, []);
    expect(await readDiff(database, id)).toMatchObject({ state: 'running' });
    await answerAs(db, WORKER, workspace.id);
  });

  it('is called off when the workspace is suspended first', async () => {
    const id = await insertDiff(database, workspace.id);
    await database.query('UPDATE workspace SET suspended_at = now() WHERE id = $1', [workspace.id]);
    await answerAs(db, WORKER, workspace.id);
    expect(await readDiff(database, id)).toMatchObject({
      state: 'cancelled',
      error: expect.stringMatching(/suspended/),
    });
    await database.query('UPDATE workspace SET suspended_at = NULL WHERE id = $1', [workspace.id]);
  });

  it('is forgotten after a day, and all but ten before', async () => {
    await database.query(
      `INSERT INTO task (id, workspace_id, kind, finished_at)
       SELECT gen_random_uuid(), $1, 'workspace.diff', now() FROM generate_series(1, 12)`,
      [workspace.id],
    );
    await database.query(
      `INSERT INTO workspace_diff (id, workspace_id, task_id, result)
       SELECT gen_random_uuid(), $1, id, '{}' FROM task t
       WHERE kind = 'workspace.diff' AND NOT EXISTS (SELECT FROM workspace_diff d WHERE d.task_id = t.id)`,
      [workspace.id],
    );
    await diff();
    const count = async (what = 'true') => {
      const [row] = await database.query<{ count: string }>(
        `SELECT count(*) FROM workspace_diff WHERE ${what}`,
      );
      return Number(row?.count);
    };
    expect(await count('result IS NOT NULL')).toBe(10);
    await database.query('UPDATE workspace_diff SET expires_at = now()');
    await releaseLeases(db, WORKER);
    await using _sync = await startSync();
    await poll('nothing to be left', async () => (await count()) === 0);
  });
});
