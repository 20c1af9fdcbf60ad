/**
 * The life of a workspace, which is its organization's: stopped and started again, deleted with a
 * grace period and restored. Each change is a row here; rbac-sync makes the cluster follow. Runs
 * under the workspace's lock.
 */
import type { WorkspaceAccess } from '../access.ts';
import { recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { PROBLEMS, Problem } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import {
  cancelDeletion,
  getWorkspaceSize,
  listPlannedProjects,
  resumeWorkspaceRow,
  scheduleDeletion,
  suspendWorkspaceRow,
} from './life-queries.ts';
import type { WorkspaceContents } from './life-schema.ts';
import { getWorkspace } from './queries.ts';
import type { WorkspaceRow } from './schema.ts';

/** A workspace as it is now; no task when it was so already. */
export type LifeChange = { readonly workspace: WorkspaceRow; readonly task: TaskRow | null };

/** @throws Problem workspace-deleting */
export const suspendWorkspace = async (
  context: RequestContext,
  access: WorkspaceAccess,
): Promise<LifeChange> => {
  const workspace = await getWorkspace(context.tx, access.workspaceId, context.personId);
  refuseDeleting(workspace);
  if (workspace.state === 'suspended') return { workspace, task: null };
  await suspendWorkspaceRow(context.tx, workspace.id);
  return record(context, access, { action: 'workspace.suspend', before: workspace });
};

/** @throws Problem workspace-deleting */
export const resumeWorkspace = async (
  context: RequestContext,
  access: WorkspaceAccess,
): Promise<LifeChange> => {
  const workspace = await getWorkspace(context.tx, access.workspaceId, context.personId);
  refuseDeleting(workspace);
  if (workspace.state === 'active') return { workspace, task: null };
  await resumeWorkspaceRow(context.tx, workspace.id);
  return record(context, access, { action: 'workspace.resume', before: workspace });
};

const refuseDeleting = ({ state, delete_after }: WorkspaceRow): void => {
  if (state !== 'deleting') return;
  throw new Problem(
    PROBLEMS.workspaceDeleting,
    `It goes for good after ${delete_after?.toISOString()}. Restore it first.`,
  );
};

/**
 * Schedules the deletion of a workspace and stops it; a second time changes nothing, not even when.
 *
 * @param confirm must be the workspace's slug or name, but in a dry run
 * @throws Problem unprocessable without the confirmation
 */
export const deleteWorkspace = async (
  context: RequestContext,
  access: WorkspaceAccess,
  confirm: string | undefined,
): Promise<LifeChange & { readonly contents: WorkspaceContents }> => {
  const { tx, dryRun, deletionGraceDays } = context;
  const before = await getWorkspace(tx, access.workspaceId, context.personId);
  if (!dryRun) assertConfirmed(before, confirm);
  const contents = await describeContents(context, before.id);
  if (before.state === 'deleting') return { workspace: before, task: null, contents };
  await scheduleDeletion(tx, before.id, deletionGraceDays);
  const change = await record(context, access, { action: 'workspace.delete', before });
  return { ...change, contents };
};

const assertConfirmed = ({ slug, name }: WorkspaceRow, confirm: string | undefined): void => {
  if (confirm === slug || confirm === name) return;
  const detail = `This deletes the workspace with all its projects and their content; namespaces of an attached cluster stay. See what goes with ?dry_run=true, and confirm it with ?confirm=${slug}.`;
  throw new Problem(PROBLEMS.unprocessable, detail, {
    errors: [{ parameter: 'confirm', detail: 'Must be the slug or the name of the workspace.' }],
  });
};

const describeContents = async (
  { tx }: RequestContext,
  workspaceId: string,
): Promise<WorkspaceContents> => {
  const size = await getWorkspaceSize(tx, workspaceId);
  const projects = await listPlannedProjects(tx, workspaceId);
  return { projects: projects.map(({ name }) => name), ...size };
};

/**
 * Takes a deletion back; what was suspended before stays so.
 *
 * @throws Problem workspace-deleting when the grace period is over, or when the whole organization is
 * being deleted
 */
export const restoreWorkspace = async (
  context: RequestContext,
  access: WorkspaceAccess,
): Promise<LifeChange> => {
  const before = await getWorkspace(context.tx, access.workspaceId, context.personId);
  if (before.state !== 'deleting') return { workspace: before, task: null };
  if (before.organization_deleting) {
    throw new Problem(
      PROBLEMS.workspaceDeleting,
      'Its organization is being deleted. Restore the organization first.',
    );
  }
  if (!(await cancelDeletion(context.tx, before.id))) {
    throw new Problem(
      PROBLEMS.workspaceDeleting,
      'Its grace period is over, and it is being taken away.',
    );
  }
  return record(context, access, { action: 'workspace.restore', before });
};

const record = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { action, before }: { readonly action: string; readonly before: WorkspaceRow },
): Promise<LifeChange> => {
  const changed = await getWorkspace(context.tx, before.id, context.personId);
  const task = await recordClusterChange(context, {
    workspaceId: access.workspaceId,
    organizationId: access.organizationId,
    action,
    targetId: before.id,
    before: lifeOf(before),
    after: lifeOf(changed),
  });
  // Once more, for the generation that the record has raised.
  return { workspace: await getWorkspace(context.tx, before.id, context.personId), task };
};

const lifeOf = ({ state, delete_after }: WorkspaceRow) => ({
  state,
  delete_after: delete_after?.toISOString() ?? null,
});
