/** Diffs in the database, as rbac-sync answers them. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { storableJson, toStorableText } from '#database/storable.ts';
import type { ClusterDiff } from '#domain/cluster-diff.ts';
import { LONGEST_MESSAGE } from '../workspace/conditions.ts';

const Nothing = z.strictObject({});

const OpenDiffRow = z.strictObject({ id: z.uuid() });

/** The diffs of a workspace that are not answered, also those that another replica has begun. */
export const listOpenDiffs = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly string[]> =>
  db.anyFirst(sql.prepared('list_open_diffs', OpenDiffRow)`
    SELECT d.id
    FROM task t
    JOIN workspace_diff d ON d.task_id = t.id
    WHERE t.workspace_id = ${workspaceId} AND t.finished_at IS NULL AND t.generation IS NULL
    ORDER BY d.id
  `);

/** Says that diffs are being answered: whoever asks from now on is given another. */
export const beginDiffs = async (
  db: CommonQueryMethods,
  diffIds: readonly string[],
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE task
    SET state = 'running', progress = 10, step = 'comparing', updated_at = now()
    FROM workspace_diff d
    WHERE d.id = ANY (${sql.array(diffIds, 'uuid')}) AND task.id = d.task_id
      AND task.finished_at IS NULL
  `);
};

/** Writes one answer to several diffs. */
export const saveDiffResult = async (
  db: CommonQueryMethods,
  diffIds: readonly string[],
  result: ClusterDiff,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace_diff SET result = ${storableJson(result)}
    WHERE id = ANY (${sql.array(diffIds, 'uuid')})
  `);
};

/** How the tasks of diffs end. */
export type DiffEnd = {
  readonly state: 'succeeded' | 'failed' | 'cancelled';
  /** What is wrong and what to do, unless they succeeded. */
  readonly error: string | null;
};

/** Ends the tasks of diffs. */
export const finishDiffs = async (
  db: CommonQueryMethods,
  diffIds: readonly string[],
  { state, error }: DiffEnd,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE task
    SET state = ${state}, progress = 100, step = NULL, error = ${error && toStorableText(error, LONGEST_MESSAGE)},
      updated_at = now(), finished_at = now()
    FROM workspace_diff d
    WHERE d.id = ANY (${sql.array(diffIds, 'uuid')}) AND task.id = d.task_id
      AND task.finished_at IS NULL
  `);
};

/** Forgets all but the latest answers of a workspace. */
export const deleteFormerDiffs = async (
  db: CommonQueryMethods,
  workspaceId: string,
  kept: number,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM workspace_diff
    WHERE id IN (
      SELECT id FROM workspace_diff
      WHERE workspace_id = ${workspaceId} AND result IS NOT NULL
      ORDER BY created_at DESC, id DESC
      OFFSET ${kept}
    )
  `);
};

/** Forgets diffs whose time is over. */
export const deleteExpiredDiffs = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.prepared('delete_expired_diffs', Nothing)`
    DELETE FROM workspace_diff d
    USING task t
    WHERE d.expires_at <= now() AND t.id = d.task_id AND t.finished_at IS NOT NULL
  `);
};
