/** Asking for diffs by rows, as the tenancy API does, and answering them as one replica of rbac-sync does. */
import type { DatabasePool } from 'slonik';
import type { ClusterDiff, ObjectDiff } from '#domain/cluster-diff.ts';
import { createId } from '#domain/identifiers.ts';
import { answerDiffs } from '../../rbac-sync/dry-run/answer-diffs.ts';
import { acquireLease } from '../../rbac-sync/queue/leases.ts';
import { loadWorkspace } from '../../rbac-sync/workspace/workspace-queries.ts';
import type { TestDatabase } from './database.ts';
import { testEncryption, testLog } from './kube.ts';
import { poll } from './poll.ts';

/** A diff as it is. */
export type DiffRow = {
  readonly state: string;
  readonly error: string | null;
  readonly result: ClusterDiff | null;
};

/** Inserts a diff and answers its id; rings nobody. */
export const insertDiff = async (database: TestDatabase, workspaceId: string): Promise<string> => {
  const [id, task] = [createId(), createId()];
  await database.transaction([
    [
      `INSERT INTO task (id, workspace_id, kind) VALUES ($1, $2, 'workspace.diff')`,
      task,
      workspaceId,
    ],
    [
      'INSERT INTO workspace_diff (id, workspace_id, task_id) VALUES ($1, $2, $3)',
      id,
      workspaceId,
      task,
    ],
  ]);
  return id;
};

/** A diff as it is now. */
export const readDiff = async (database: TestDatabase, id: string): Promise<DiffRow> => {
  const [row] = await database.query<DiffRow>(
    'SELECT t.state, t.error, d.result FROM workspace_diff d JOIN task t ON t.id = d.task_id WHERE d.id = $1',
    [id],
  );
  if (!row) throw new Error('the diff is gone');
  return row;
};

/** A diff once it has ended. */
export const untilDiffEnded = (database: TestDatabase, id: string): Promise<DiffRow> =>
  poll('the end of the diff', async () => {
    const row = await readDiff(database, id);
    return !['pending', 'running'].includes(row.state) && row;
  });

/** How a diff names its objects: `update ResourceQuota shop/hexabase-plan`. */
export const toLines = (objects: readonly ObjectDiff[] = []): string[] =>
  objects.map(({ action, kind, namespace, name }) =>
    [`${action} ${kind} `, namespace && `${namespace}/`, name].join(''),
  );

/** Answers a workspace's open diffs under a lease of this worker's, and looks no further. */
export const answerAs = async (
  db: DatabasePool,
  worker: string,
  workspaceId: string,
  limits: { readonly longestMs?: number } = {},
): Promise<void> => {
  const lease = await acquireLease(db, workspaceId, worker);
  const workspace = lease && (await loadWorkspace(db, workspaceId));
  if (!workspace) throw new Error('somebody else has the lease');
  await answerDiffs({
    db,
    lease,
    workspace,
    doorbell: { ring: async () => {} },
    encryption: testEncryption,
    clusters: new Map(),
    log: testLog,
    signal: new AbortController().signal,
    ...limits,
  });
};
