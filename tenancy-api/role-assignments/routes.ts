/** Role assignments: the bindings of a workspace's cluster. */
import { parseId } from '#domain/identifiers.ts';
import type { RequestContext } from '../context.ts';
import { answerPage, type PageRequest, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { TaskStarted } from '../projects/schema.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { listInheritedAssignments, listRoleAssignments } from './queries.ts';
import {
  CreateRoleAssignment,
  RoleAssignment,
  RoleAssignmentCreated,
  RoleAssignmentQuery,
  type RoleAssignmentRow,
  RoleAssignmentUpdated,
  toRoleAssignment,
  UpdateRoleAssignment,
} from './schema.ts';
import {
  createRoleAssignment,
  deleteRoleAssignment,
  getRoleAssignment,
  updateRoleAssignment,
} from './service.ts';

/** What a list reads, from the public identifiers in its query. */
const readerOf = ({ tx }: RequestContext, workspaceId: string, query: RoleAssignmentQuery) => {
  const projectId = parseId('project', query.project ?? '') ?? null;
  const filter = {
    workspaceId,
    groupId: parseId('group', query.group ?? '') ?? null,
    projectRoleId: parseId('projectRole', query.project_role ?? '') ?? null,
    presetRole: query.preset_role ?? null,
  };
  return (page: PageRequest): Promise<readonly RoleAssignmentRow[]> =>
    query.inherited === 'true' && projectId !== null
      ? listInheritedAssignments(tx, { ...filter, projectId }, page)
      : listRoleAssignments(tx, { ...filter, projectId }, page);
};

export const roleAssignmentRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/role-assignments',
    summary: 'List the role assignments of a workspace, of a group, or in a project',
    permission: { workspace: 'role-assignment:read' },
    query: RoleAssignmentQuery,
    responses: { 200: { description: 'A page.', body: pageOf(RoleAssignment, 'RoleAssignment') } },
    handler: ({ context, access, query }) =>
      answerPage(context, query, {
        read: readerOf(context, access.workspaceId, query),
        idOf: (row) => row.id,
        toItem: toRoleAssignment,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/role-assignments',
    summary: 'Give a role to a group',
    permission: { workspace: 'role-assignment:write' },
    body: CreateRoleAssignment,
    problems: [PROBLEMS.unprocessable, PROBLEMS.alreadyExists],
    responses: {
      202: {
        description: 'The assignment is recorded; the task ends when the cluster obeys it.',
        body: RoleAssignmentCreated,
        headers: { ...taskHeaders, ...etagHeaders },
      },
    },
    handler: async ({ context, access, body }) => {
      const { assignment, task } = await createRoleAssignment(context, access, body);
      const answer = { role_assignment: toRoleAssignment(assignment), task: toTask(task) };
      return acceptedTask(task, answer, versionHeaders(assignment.version));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/role-assignments/{role_assignment}',
    summary: 'Read a role assignment',
    permission: { workspace: 'role-assignment:read' },
    responses: {
      200: { description: 'The assignment.', body: RoleAssignment, headers: etagHeaders },
    },
    handler: async ({ context, access, params }) => {
      const row = await getRoleAssignment(context, access.workspaceId, params.role_assignment);
      return { status: 200, body: toRoleAssignment(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}/role-assignments/{role_assignment}',
    summary: 'Change until when a role is given, and why',
    permission: { workspace: 'role-assignment:write' },
    body: UpdateRoleAssignment,
    ifMatch: true,
    problems: [PROBLEMS.presetProtected],
    responses: {
      200: {
        description: 'It is changed. What it gives is in the cluster already.',
        body: RoleAssignmentUpdated,
        headers: etagHeaders,
      },
      202: {
        description: 'It ends at another time; the task ends when the cluster has it.',
        body: RoleAssignmentUpdated,
        headers: { ...taskHeaders, ...etagHeaders },
      },
    },
    handler: async ({ context, access, params, body }) => {
      const update = { assignmentId: params.role_assignment, change: body };
      const { assignment, task } = await updateRoleAssignment(context, access, update);
      const role_assignment = toRoleAssignment(assignment);
      const headers = versionHeaders(assignment.version);
      if (!task) return { status: 200, body: { role_assignment, task: null }, headers };
      return acceptedTask(task, { role_assignment, task: toTask(task) }, headers);
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/role-assignments/{role_assignment}',
    summary: 'Take a role from a group',
    permission: { workspace: 'role-assignment:write' },
    problems: [PROBLEMS.presetProtected],
    responses: {
      202: {
        description: 'It is gone; the task ends when the cluster obeys.',
        body: TaskStarted,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, params }) => {
      const task = await deleteRoleAssignment(context, access, params.role_assignment);
      return acceptedTask(task, { task: toTask(task) });
    },
  }),
];
