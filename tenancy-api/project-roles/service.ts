/** Roles that a workspace's admins make for one project. Runs under the workspace's lock. */
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import { type PolicyRule, refuseRules } from '#domain/policy-rule.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { bodyProblem, notFound, PROBLEMS, Problem, toPointer } from '../problems.ts';
import { getProject } from '../projects/service.ts';
import type { TaskRow } from '../tasks/schema.ts';
import {
  deleteProjectRole as deleteProjectRoleRow,
  findProjectRole,
  insertProjectRole,
  updateProjectRole as updateProjectRoleRow,
} from './queries.ts';
import type { CreateProjectRole, ProjectRoleRow } from './schema.ts';

/** A role's place in the path. */
export type RolePath = { readonly project: string; readonly role: string };

/** @throws Problem not-found when the project has no such role */
export const getProjectRole = async (
  { tx }: RequestContext,
  workspaceId: string,
  path: RolePath,
): Promise<ProjectRoleRow> => {
  const role = await findProjectRole(tx, workspaceId, path.role);
  if (role?.project_id !== path.project) throw notFound();
  return role;
};

/** A role, and the task that brings it to the cluster. */
export type RoleChange = { readonly role: ProjectRoleRow; readonly task: TaskRow };

/** @throws Problem not-found, role-rules-refused, already-exists */
export const createProjectRole = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { projectId, input }: { projectId: string; input: CreateProjectRole },
): Promise<RoleChange> => {
  const { workspaceId } = access;
  await getProject(context, workspaceId, projectId);
  assertRules(input.rules);
  const place = { workspaceId, projectId };
  const values = { id: createId(), ...input };
  const role = await insertProjectRole(context.tx, place, values).catch((error: unknown) => {
    throw isNameTaken(error) ? nameTaken(input.name) : error;
  });
  const task = await recordClusterChange(context, {
    ...access,
    projectId,
    action: 'project-role.create',
    targetId: role.id,
    after: toRecord(role),
  });
  return { role, task };
};

/**
 * Replaces a role's rules.
 *
 * @throws Problem not-found, precondition-failed, role-rules-refused
 */
export const updateProjectRole = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { path, rules }: { path: RolePath; rules: readonly PolicyRule[] },
): Promise<RoleChange> => {
  const { workspaceId } = access;
  const before = await getProjectRole(context, workspaceId, path);
  assertVersion(context, before.version);
  assertRules(rules);
  const role = await updateProjectRoleRow(context.tx, workspaceId, { id: path.role, rules });
  const task = await recordClusterChange(context, {
    ...access,
    projectId: path.project,
    action: 'project-role.update',
    targetId: role.id,
    before: toRecord(before),
    after: toRecord(role),
  });
  return { role, task };
};

/**
 * Deletes a role, and so takes it from every group that has it.
 *
 * @throws Problem not-found
 */
export const deleteProjectRole = async (
  context: RequestContext,
  access: WorkspaceAccess,
  path: RolePath,
): Promise<TaskRow> => {
  const before = await getProjectRole(context, access.workspaceId, path);
  await deleteProjectRoleRow(context.tx, access.workspaceId, path.role);
  return recordClusterChange(context, {
    ...access,
    projectId: path.project,
    action: 'project-role.delete',
    targetId: path.role,
    before: toRecord(before),
  });
};

const assertRules = (rules: readonly PolicyRule[]): void => {
  const refusals = refuseRules(rules);
  if (refusals.length === 0) return;
  throw new Problem(
    PROBLEMS.roleRulesRefused,
    'A project role holds named verbs on named, namespaced resources, and nothing that could raise rights; see errors.',
    {
      errors: refusals.map(({ path, reason }) => ({
        pointer: toPointer(['rules', ...path]),
        detail: reason,
      })),
    },
  );
};

const toRecord = (role: ProjectRoleRow) => ({
  name: role.name,
  project_id: role.project_id,
  rules: role.rules.map((rule) => ({ ...rule, resourceNames: rule.resourceNames ?? null })),
});

const isNameTaken = (error: unknown): boolean =>
  violates(error, 'project_role__project_id_name__unique');

const nameTaken = (name: string): Problem =>
  bodyProblem(PROBLEMS.alreadyExists, ['name'], `The project has a role "${name}" already.`);
