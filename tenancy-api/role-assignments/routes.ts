/** Role assignments: the bindings of a workspace's cluster. */
import { parseId } from '#domain/identifiers.ts';
import { answerPage, pageOf } from '../cursor.ts';
import { TaskStarted } from '../projects/schema.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { listRoleAssignments } from './queries.ts';
import {
  CreateRoleAssignment,
  RoleAssignment,
  RoleAssignmentCreated,
  RoleAssignmentQuery,
  toRoleAssignment,
} from './schema.ts';
import { createRoleAssignment, deleteRoleAssignment } from './service.ts';

export const roleAssignmentRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/role-assignments',
    summary: 'List the role assignments of a workspace, of a group, or in a project',
    permission: { workspace: 'role-assignment:read' },
    query: RoleAssignmentQuery,
    responses: { 200: { description: 'A page.', body: pageOf(RoleAssignment, 'RoleAssignment') } },
    handler: ({ context, access, query }) => {
      const filter = {
        workspaceId: access.workspaceId,
        groupId: parseId('group', query.group ?? '') ?? null,
        projectId: parseId('project', query.project ?? '') ?? null,
      };
      return answerPage(context, query, {
        read: (page) => listRoleAssignments(context.tx, filter, page),
        idOf: (row) => row.id,
        toItem: toRoleAssignment,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/role-assignments',
    summary: 'Give a role to a group',
    permission: { workspace: 'role-assignment:write' },
    body: CreateRoleAssignment,
    responses: {
      202: {
        description: 'The assignment is recorded; the task ends when the cluster obeys it.',
        body: RoleAssignmentCreated,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, body }) => {
      const { assignment, task } = await createRoleAssignment(context, access, body);
      const answer = { role_assignment: toRoleAssignment(assignment), task: toTask(task) };
      return acceptedTask(task, answer);
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/role-assignments/{role_assignment}',
    summary: 'Take a role from a group',
    permission: { workspace: 'role-assignment:write' },
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
