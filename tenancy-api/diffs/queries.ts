import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { DIFF_TASK } from '#domain/cluster-diff.ts';
import { TaskRow } from '../tasks/schema.ts';
import { DiffRow } from './schema.ts';

const columns = sql.fragment`
  d.id, d.workspace_id, d.task_id, t.state, t.error, d.result, d.created_at, t.finished_at, d.expires_at`;

/** A diff of this workspace that has not expired. */
export const findDiff = (
  db: CommonQueryMethods,
  workspaceId: string,
  diffId: string,
): Promise<DiffRow | null> =>
  db.maybeOne(sql.prepared('find_diff', DiffRow)`
    SELECT ${columns}
    FROM workspace_diff d
    JOIN task t ON t.id = d.task_id
    WHERE d.workspace_id = ${workspaceId} AND d.id = ${diffId} AND d.expires_at > now()
  `);

/** The diff of a workspace that nobody has begun to answer. */
export const findWaitingDiff = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<DiffRow | null> =>
  db.maybeOne(sql.type(DiffRow)`
    SELECT ${columns}
    FROM workspace_diff d
    JOIN task t ON t.id = d.task_id
    WHERE d.workspace_id = ${workspaceId} AND t.state = 'pending'
    ORDER BY d.id
    LIMIT 1
  `);

/** A task to insert: of a diff, so that it is of no generation. Ids are UUIDs. */
export type NewDiffTask = {
  readonly id: string;
  readonly workspaceId: string;
  readonly createdBy: string;
};

/** The task that ends with the diff. */
export const insertDiffTask = (db: CommonQueryMethods, task: NewDiffTask): Promise<TaskRow> =>
  db.one(sql.type(TaskRow)`
    INSERT INTO task (id, workspace_id, kind, created_by)
    VALUES (${task.id}, ${task.workspaceId}, ${DIFF_TASK}, ${task.createdBy})
    RETURNING id, workspace_id, kind, state, progress, step, error, created_at, finished_at
  `);

/** Asks for a diff. */
export const insertDiff = async (
  db: CommonQueryMethods,
  diff: { readonly id: string; readonly workspaceId: string; readonly taskId: string },
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    INSERT INTO workspace_diff (id, workspace_id, task_id)
    VALUES (${diff.id}, ${diff.workspaceId}, ${diff.taskId})
  `);
};
