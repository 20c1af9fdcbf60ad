/** Project roles: custom rights, valid in one project and in those below it. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { TaskStarted } from '../projects/schema.ts';
import { getProject } from '../projects/service.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { listProjectRoles } from './queries.ts';
import {
  CreateProjectRole,
  ProjectRole,
  ProjectRoleChanged,
  toProjectRole,
  UpdateProjectRole,
} from './schema.ts';
import {
  createProjectRole,
  deleteProjectRole,
  getProjectRole,
  type RoleChange,
  updateProjectRole,
} from './service.ts';

const accepted = ({ role, task }: RoleChange) =>
  acceptedTask(
    task,
    { project_role: toProjectRole(role), task: toTask(task) },
    versionHeaders(role.version),
  );

const changed = {
  202: {
    description: 'The role is recorded; the task ends when the cluster obeys it.',
    body: ProjectRoleChanged,
    headers: { ...taskHeaders, ...etagHeaders },
  },
} as const;

export const projectRoleRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/projects/{project}/roles',
    summary: 'List the roles of a project',
    permission: { workspace: 'project-role:read' },
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(ProjectRole, 'ProjectRole') } },
    handler: async ({ context, access: { workspaceId }, params, query }) => {
      await getProject(context, workspaceId, params.project);
      const place = { workspaceId, projectId: params.project };
      return answerPage(context, query, {
        read: (page) => listProjectRoles(context.tx, place, page),
        idOf: (row) => row.id,
        toItem: toProjectRole,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/projects/{project}/roles',
    summary: 'Create a project role',
    permission: { workspace: 'project-role:write' },
    body: CreateProjectRole,
    problems: [PROBLEMS.roleRulesRefused, PROBLEMS.alreadyExists],
    responses: changed,
    handler: async ({ context, access, params, body }) =>
      accepted(
        await createProjectRole(context, access, { projectId: params.project, input: body }),
      ),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/projects/{project}/roles/{role}',
    summary: 'Read a project role',
    permission: { workspace: 'project-role:read' },
    responses: { 200: { description: 'The role.', body: ProjectRole, headers: etagHeaders } },
    handler: async ({ context, access, params }) => {
      const role = await getProjectRole(context, access.workspaceId, params);
      return { status: 200, body: toProjectRole(role), headers: versionHeaders(role.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}/projects/{project}/roles/{role}',
    summary: 'Replace the rules of a project role',
    permission: { workspace: 'project-role:write' },
    body: UpdateProjectRole,
    ifMatch: true,
    problems: [PROBLEMS.roleRulesRefused],
    responses: changed,
    handler: async ({ context, access, params, body }) =>
      accepted(await updateProjectRole(context, access, { path: params, rules: body.rules })),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/projects/{project}/roles/{role}',
    summary: 'Delete a project role, and take it from every group that has it',
    permission: { workspace: 'project-role:write' },
    responses: {
      202: {
        description: 'It is gone; the task ends when the cluster obeys.',
        body: TaskStarted,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, params }) => {
      const task = await deleteProjectRole(context, access, params);
      return acceptedTask(task, { task: toTask(task) });
    },
  }),
];
