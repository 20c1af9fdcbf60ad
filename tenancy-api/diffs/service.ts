/** Asking what would change in a cluster. Runs under the workspace's lock. */
import { createId } from '#domain/identifiers.ts';
import type { RequestContext } from '../context.ts';
import { notFound } from '../problems.ts';
import { findTask } from '../tasks/queries.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { findDiff, findWaitingDiff, insertDiff, insertDiffTask } from './queries.ts';
import type { DiffRow } from './schema.ts';

/**
 * Asks for a diff, and has the doorbell rung. Who asks while another diff waits to be begun is given that
 * one: it will be of a later moment than either question.
 */
export const requestDiff = async (
  context: RequestContext,
  workspaceId: string,
): Promise<{ diff: DiffRow; task: TaskRow }> => {
  const { tx, personId, changedWorkspaces } = context;
  changedWorkspaces.add(workspaceId);
  const waiting = await findWaitingDiff(tx, workspaceId);
  const task = waiting && (await findTask(tx, waiting.task_id, personId));
  if (waiting && task) return { diff: waiting, task };
  const made = await insertDiffTask(tx, { id: createId(), workspaceId, createdBy: personId });
  const id = createId();
  await insertDiff(tx, { id, workspaceId, taskId: made.id });
  return { diff: await getDiff(context, workspaceId, id), task: made };
};

/** @throws Problem not-found, also when it has expired */
export const getDiff = async (
  { tx }: RequestContext,
  workspaceId: string,
  diffId: string,
): Promise<DiffRow> => {
  const diff = await findDiff(tx, workspaceId, diffId);
  if (!diff) throw notFound();
  return diff;
};
