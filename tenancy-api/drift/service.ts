/** Reading the drift ledger and deciding what becomes of drift. Writes run under the workspace's lock. */
import type { WorkspaceAccess } from '../access.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { notFound, PROBLEMS, Problem } from '../problems.ts';
import { findDrift, loadDriftMode, retryContested, saveDriftMode } from './queries.ts';
import type { DriftMode, DriftRow } from './schema.ts';

/** @throws Problem not-found */
export const getDrift = async (
  { tx }: RequestContext,
  workspaceId: string,
  driftId: string,
): Promise<DriftRow> => {
  const row = await findDrift(tx, workspaceId, driftId);
  if (!row) throw notFound();
  return row;
};

/**
 * Has a contested object put back at once, and has the doorbell rung.
 *
 * @throws Problem not-found, drift-not-contested
 */
export const retryDrift = async (
  context: RequestContext,
  { workspaceId, organizationId }: WorkspaceAccess,
  driftId: string,
): Promise<DriftRow> => {
  const { kind, namespace, name } = await getDrift(context, workspaceId, driftId);
  const row = await retryContested(context.tx, workspaceId, driftId);
  if (!row) {
    throw new Problem(
      PROBLEMS.driftNotContested,
      'Only drift whose action is "contested" waits for a retry; read it again to see what was done about it.',
    );
  }
  await recordChange(context, {
    action: 'drift.retry',
    organizationId,
    workspaceId,
    targetId: driftId,
    after: { object: { kind, namespace, name } },
  });
  context.changedWorkspaces.add(workspaceId);
  return row;
};

/** Decides how drift is treated from now on, what is open now included, and has the doorbell rung. */
export const setDriftMode = async (
  context: RequestContext,
  { workspaceId, organizationId }: WorkspaceAccess,
  { mode }: DriftMode,
): Promise<DriftMode> => {
  const before = await loadDriftMode(context.tx, workspaceId);
  if (mode === before) return { mode };
  await saveDriftMode(context.tx, workspaceId, mode);
  await recordChange(context, {
    action: 'drift-mode.set',
    organizationId,
    workspaceId,
    targetId: workspaceId,
    before: { mode: before },
    after: { mode },
  });
  context.changedWorkspaces.add(workspaceId);
  return { mode };
};
