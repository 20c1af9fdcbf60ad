/** Which group holds which role. Runs under the workspace's lock. */
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import { ADMINS_GROUP } from '#domain/presets.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange, recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { findGroup } from '../groups/queries.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import { findProjectRole } from '../project-roles/queries.ts';
import { findProject } from '../projects/queries.ts';
import type { TaskRow } from '../tasks/schema.ts';
import {
  deleteExpiredGrant,
  deleteRoleAssignment as deleteRoleAssignmentRow,
  findRoleAssignment,
  type GrantKey,
  insertRoleAssignment,
  updateRoleAssignment as updateRoleAssignmentRow,
} from './queries.ts';
import type { CreateRoleAssignment, RoleAssignmentRow, UpdateRoleAssignment } from './schema.ts';

/** @throws Problem not-found, also when it has expired */
export const getRoleAssignment = async (
  { tx }: RequestContext,
  workspaceId: string,
  assignmentId: string,
): Promise<RoleAssignmentRow> => {
  const assignment = await findRoleAssignment(tx, workspaceId, assignmentId);
  if (!assignment) throw notFound();
  return assignment;
};

/**
 * Gives a role to a group.
 *
 * @throws Problem unprocessable for a group, project or role that isn't there or doesn't fit,
 * already-exists
 */
export const createRoleAssignment = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: CreateRoleAssignment,
): Promise<{ assignment: RoleAssignmentRow; task: TaskRow }> => {
  const { workspaceId } = access;
  const grant = { workspaceId, ...(await getTarget(context, workspaceId, input)) };
  await clearExpired(context, access, grant);
  const assignment = await insertRoleAssignment(context.tx, {
    ...grant,
    id: createId(),
    preset: false,
    expiresAt: toDate(input.expires_at),
    reason: input.reason ?? null,
    createdBy: context.personId,
  }).catch((error: unknown) => {
    throw isGranted(error) ? alreadyGranted() : error;
  });
  const task = await recordClusterChange(context, {
    ...access,
    projectId: assignment.project_id,
    action: 'role-assignment.create',
    targetId: assignment.id,
    after: toRecord(assignment),
  });
  return { assignment, task };
};

const toDate = (text: string | null | undefined): Date | null => (text ? new Date(text) : null);

/** What has expired is there until rbac-sync comes by, and nobody who gives it anew should see it. */
const clearExpired = async (
  context: RequestContext,
  access: WorkspaceAccess,
  grant: GrantKey,
): Promise<void> => {
  const targetId = await deleteExpiredGrant(context.tx, grant);
  if (targetId === null) return;
  await recordChange(context, { ...access, action: 'role-assignment.expire', targetId });
};

const getTarget = async (
  context: RequestContext,
  workspaceId: string,
  input: CreateRoleAssignment,
) => {
  const group = await findGroup(context.tx, workspaceId, input.group);
  if (!group) throw unfit('group', 'There is no such group in this workspace.');
  const projectId = input.project === undefined ? null : input.project;
  if (input.project !== undefined && !(await findProject(context.tx, workspaceId, projectId))) {
    throw unfit('project', 'There is no such project in this workspace.');
  }
  const projectRoleId = input.project_role ?? null;
  if (input.project_role !== undefined) {
    await assertRoleOfProject(context, workspaceId, { projectId, projectRoleId });
  }
  return { groupId: group.id, projectId, projectRoleId, presetRole: input.preset_role ?? null };
};

const assertRoleOfProject = async (
  { tx }: RequestContext,
  workspaceId: string,
  { projectId, projectRoleId }: { projectId: string | null; projectRoleId: string | null },
): Promise<void> => {
  const role = await findProjectRole(tx, workspaceId, projectRoleId);
  if (!role) throw unfit('project_role', 'There is no such project role in this workspace.');
  if (role.project_id === projectId) return;
  throw unfit(
    'project_role',
    `"${role.name}" is a role of another project. A project role is assigned in its own project, and then holds in those below as well.`,
  );
};

const unfit = (member: string, detail: string): Problem =>
  bodyProblem(PROBLEMS.unprocessable, [member], detail);

const isGranted = (error: unknown): boolean => violates(error, 'role_assignment__grant__unique');

const alreadyGranted = (): Problem =>
  new Problem(PROBLEMS.alreadyExists, 'The group has this role here already.');

/**
 * Changes until when an assignment holds and what it is said to be for.
 *
 * @returns with the task that sees to it that an assignment whose end was moved is in the cluster, where
 * the old end may just have taken it away; `null` when nothing could have
 * @throws Problem not-found, precondition-failed, preset-protected
 */
export const updateRoleAssignment = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { assignmentId, change }: { assignmentId: string; change: UpdateRoleAssignment },
): Promise<{ assignment: RoleAssignmentRow; task: TaskRow | null }> => {
  const { workspaceId } = access;
  const before = await getRoleAssignment(context, workspaceId, assignmentId);
  assertVersion(context, before.version);
  refusePreset(before);
  const { expires_at: end, reason = before.reason } = change;
  const expiresAt = end === undefined ? before.expires_at : toDate(end);
  const values = { id: assignmentId, expiresAt, reason };
  const assignment = await updateRoleAssignmentRow(context.tx, workspaceId, values);
  const record = {
    ...access,
    projectId: assignment.project_id,
    action: 'role-assignment.update',
    targetId: assignmentId,
    before: toRecord(before),
    after: toRecord(assignment),
  };
  const moved = before.expires_at !== null && isOther(before.expires_at, assignment.expires_at);
  if (moved) return { assignment, task: await recordClusterChange(context, record) };
  await recordChange(context, record);
  return { assignment, task: null };
};

const isOther = (before: Date, after: Date | null): boolean =>
  before.getTime() !== after?.getTime();

const refusePreset = ({ preset }: RoleAssignmentRow): void => {
  if (!preset) return;
  throw new Problem(
    PROBLEMS.presetProtected,
    `${ADMINS_GROUP} always administers its workspace. Change who is in ${ADMINS_GROUP} instead.`,
  );
};

/**
 * Takes a role from a group.
 *
 * @throws Problem not-found, preset-protected
 */
export const deleteRoleAssignment = async (
  context: RequestContext,
  access: WorkspaceAccess,
  assignmentId: string,
): Promise<TaskRow> => {
  const { workspaceId } = access;
  const assignment = await getRoleAssignment(context, workspaceId, assignmentId);
  refusePreset(assignment);
  await deleteRoleAssignmentRow(context.tx, workspaceId, assignmentId);
  return recordClusterChange(context, {
    ...access,
    projectId: assignment.project_id,
    action: 'role-assignment.delete',
    targetId: assignmentId,
    before: toRecord(assignment),
  });
};

const toRecord = (row: RoleAssignmentRow) => ({
  group_id: row.group_id,
  project_id: row.project_id,
  project_role_id: row.project_role_id,
  preset_role: row.preset_role,
  expires_at: row.expires_at?.toISOString() ?? null,
  reason: row.reason,
});
