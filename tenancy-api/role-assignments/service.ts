/** Which group holds which role. Runs under the workspace's lock. */
import { UniqueIntegrityConstraintViolationError } from 'slonik';
import { createId } from '#domain/identifiers.ts';
import { ADMINS_GROUP } from '#domain/presets.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { findGroup } from '../groups/queries.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import { findProjectRole } from '../project-roles/queries.ts';
import { findProject } from '../projects/queries.ts';
import type { TaskRow } from '../tasks/schema.ts';
import {
  deleteRoleAssignment as deleteRoleAssignmentRow,
  findRoleAssignment,
  insertRoleAssignment,
} from './queries.ts';
import type { CreateRoleAssignment, RoleAssignmentRow } from './schema.ts';

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
  const target = await getTarget(context, workspaceId, input);
  const values = { id: createId(), workspaceId, ...target, preset: false };
  const assignment = await insertRoleAssignment(context.tx, values).catch((error: unknown) => {
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
    `"${role.name}" is a role of another project; a project role is valid in its own project alone.`,
  );
};

const unfit = (member: string, detail: string): Problem =>
  bodyProblem(PROBLEMS.unprocessable, [member], detail);

const isGranted = (error: unknown): boolean =>
  error instanceof UniqueIntegrityConstraintViolationError &&
  error.constraint === 'role_assignment__grant__unique';

const alreadyGranted = (): Problem =>
  new Problem(PROBLEMS.alreadyExists, 'The group has this role here already.');

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
  const assignment = await findRoleAssignment(context.tx, workspaceId, assignmentId);
  if (!assignment) throw notFound();
  if (assignment.preset) {
    throw new Problem(
      PROBLEMS.presetProtected,
      `${ADMINS_GROUP} always administers its workspace. Change who is in ${ADMINS_GROUP} instead.`,
    );
  }
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
});
