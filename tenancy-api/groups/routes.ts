/** Groups: the tree that decides what a token carries. A flat list; each names its parent. */
import { formatId } from '#domain/identifiers.ts';
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders, toTokenTimes } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { listGroups } from './queries.ts';
import { CreateGroup, Group, GroupDeleted, GroupUpdated, toGroup, UpdateGroup } from './schema.ts';
import { createGroup, deleteGroup, getGroup, updateGroup } from './service.ts';

export const groupRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups',
    summary: 'List the groups of a workspace',
    permission: { workspace: 'group:read' },
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Group, 'Group') } },
    handler: ({ context, access, query }) =>
      answerPage(context, query, {
        read: (page) => listGroups(context.tx, access.workspaceId, page),
        idOf: (row) => row.id,
        toItem: toGroup,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/groups',
    summary: 'Create a group',
    permission: { workspace: 'group:write' },
    body: CreateGroup,
    responses: {
      201: {
        description: 'The group.',
        body: Group,
        headers: { Location: 'The group.' },
      },
    },
    handler: async ({ context, access, body }) => {
      const group = toGroup(await createGroup(context, access, body));
      const workspace = formatId('workspace', access.workspaceId);
      const headers = { Location: `/v1/workspaces/${workspace}/groups/${group.id}` };
      return { status: 201, body: group, headers };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups/{group}',
    summary: 'Read a group',
    permission: { workspace: 'group:read' },
    responses: { 200: { description: 'The group.', body: Group } },
    handler: async ({ context, access, params }) => ({
      status: 200,
      body: toGroup(await getGroup(context, access.workspaceId, params.group)),
    }),
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}/groups/{group}',
    summary: 'Rename or move a group',
    permission: { workspace: 'group:write' },
    body: UpdateGroup,
    responses: {
      200: { description: 'The group, and when a move shows in tokens.', body: GroupUpdated },
    },
    handler: async ({ context, access, params, body }) => {
      const update = { access, groupId: params.group, change: body };
      const { group, moved } = await updateGroup(context, update);
      const times = moved ? toTokenTimes() : { new_tokens_from: null, old_tokens_until: null };
      return { status: 200, body: { group: toGroup(group), ...times } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/groups/{group}',
    summary: 'Delete a group that has none below it',
    permission: { workspace: 'group:write' },
    responses: {
      200: { description: 'It is gone; it held no role.', body: GroupDeleted },
      202: {
        description: 'It is gone; the task takes its roles away in the cluster.',
        body: GroupDeleted,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, params }) => {
      const task = await deleteGroup(context, access, params.group);
      if (!task) return { status: 200, body: { ...toTokenTimes(), task: null } };
      return acceptedTask(task, { ...toTokenTimes(), task: toTask(task) });
    },
  }),
];
