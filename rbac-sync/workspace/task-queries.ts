/** Tells tasks how far they are, and a workspace what is so. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { storableJson, toStorableText } from '#database/storable.ts';
import { type Condition, LONGEST_MESSAGE } from './conditions.ts';

const Nothing = z.strictObject({});

/** Which tasks a report concerns: the unfinished ones up to a generation. */
type Tasks = { readonly workspaceId: string; readonly generation: number };

/** Moves tasks on; never back, and the last fault goes with the first step that works. */
export const reportProgress = async (
  db: CommonQueryMethods,
  { workspaceId, generation }: Tasks,
  { progress, step }: { readonly progress: number; readonly step: string },
): Promise<void> => {
  await db.query(sql.prepared('report_progress', Nothing)`
    UPDATE task SET state = 'running', progress = greatest(progress, ${progress}), step = ${step}, error = NULL, updated_at = now()
    WHERE workspace_id = ${workspaceId} AND finished_at IS NULL AND generation <= ${generation}
  `);
};

/** Notes why tasks are not done yet; they stay running, because it will be tried again. */
export const reportFault = async (
  db: CommonQueryMethods,
  { workspaceId, generation }: Tasks,
  error: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE task SET state = 'running', error = ${toStorableText(error, LONGEST_MESSAGE)}, updated_at = now()
    WHERE workspace_id = ${workspaceId} AND finished_at IS NULL AND generation <= ${generation}
  `);
};

/**
 * Ends tasks whose change is in force.
 *
 * @param unsettled namespaces whose tasks have to wait; with `undefined` among them, so do all that
 * concern the whole cluster
 */
export const finishTasks = async (
  db: CommonQueryMethods,
  { workspaceId, generation }: Tasks,
  unsettled: readonly (string | undefined)[],
): Promise<void> => {
  const names = unsettled.filter((name) => name !== undefined);
  await db.query(sql.prepared('finish_tasks', Nothing)`
    UPDATE task
    SET state = 'succeeded', progress = 100, step = NULL, error = NULL, updated_at = now(), finished_at = now()
    WHERE workspace_id = ${workspaceId} AND finished_at IS NULL AND generation <= ${generation}
      AND CASE WHEN namespace IS NULL THEN ${unsettled.length === names.length}
        ELSE NOT coalesce(namespaces, ARRAY[namespace]) && ${sql.array(names, 'text')} END
  `);
};

/** Says what is so of a workspace and which generation has been seen in force. */
export const saveObserved = async (
  db: CommonQueryMethods,
  { workspaceId, generation }: Tasks,
  conditions: readonly Condition[],
): Promise<void> => {
  await db.query(sql.prepared('save_observed', Nothing)`
    UPDATE workspace
    SET observed_generation = greatest(observed_generation, ${generation}),
      conditions = ${storableJson(conditions)}, updated_at = now()
    WHERE id = ${workspaceId}
  `);
};
