/** Groups: the tree that decides what a token carries. A flat list; each names its parent. */
import { formatId, parseId } from '#domain/identifiers.ts';
import { answerSortedPage, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders, toTokenTimes } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { listGroups } from './queries.ts';
import {
  CreateGroup,
  Group,
  GroupDeleted,
  GroupQuery,
  GroupUpdated,
  toGroup,
  UpdateGroup,
} from './schema.ts';
import { createGroup, deleteGroup, getGroup, updateGroup } from './service.ts';

export const groupRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups',
    summary: 'List the groups of a workspace',
    permission: { workspace: 'group:read' },
    query: GroupQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Group, 'Group') } },
    handler: ({ context, access: { workspaceId }, query }) => {
      const parentId = query.parent === undefined ? null : (parseId('group', query.parent) ?? null);
      const filter = { workspaceId, parentId, name: query.name ?? null };
      return answerSortedPage(context, query, {
        read: (page) => listGroups(context.tx, filter, page),
        positionOf: (row) => row,
        toItem: toGroup,
      });
    },
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
        headers: { Location: 'The group.', ...etagHeaders },
      },
    },
    problems: [PROBLEMS.invalidParent, PROBLEMS.alreadyExists],
    handler: async ({ context, access, body }) => {
      const row = await createGroup(context, access, body);
      const group = toGroup(row);
      const workspace = formatId('workspace', access.workspaceId);
      const Location = `/v1/workspaces/${workspace}/groups/${group.id}`;
      return { status: 201, body: group, headers: { Location, ...versionHeaders(row.version) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups/{group}',
    summary: 'Read a group',
    permission: { workspace: 'group:read' },
    responses: { 200: { description: 'The group.', body: Group, headers: etagHeaders } },
    handler: async ({ context, access, params }) => {
      const row = await getGroup(context, access.workspaceId, params.group);
      return { status: 200, body: toGroup(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}/groups/{group}',
    summary: 'Rename or move a group',
    permission: { workspace: 'group:write' },
    body: UpdateGroup,
    dryRun: true,
    ifMatch: true,
    responses: {
      200: {
        description: 'The group, who gains and loses what by a move, and when it shows in tokens.',
        body: GroupUpdated,
        headers: etagHeaders,
      },
    },
    problems: [PROBLEMS.presetProtected, PROBLEMS.invalidParent, PROBLEMS.lastAdmin],
    handler: async ({ context, access, params, body }) => {
      const update = { access, groupId: params.group, change: body };
      const { group, effect } = await updateGroup(context, update);
      const times = effect ? toTokenTimes() : { new_tokens_from: null, old_tokens_until: null };
      const headers = versionHeaders(group.version);
      return { status: 200, body: { group: toGroup(group), ...times, effect }, headers };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/groups/{group}',
    summary: 'Delete a group that has none below it',
    permission: { workspace: 'group:write' },
    dryRun: true,
    responses: {
      200: {
        description: 'It is gone and held no role; or, in a dry run, what its end would do.',
        body: GroupDeleted,
      },
      202: {
        description: 'It is gone; the task takes its roles away in the cluster.',
        body: GroupDeleted,
        headers: taskHeaders,
      },
    },
    problems: [PROBLEMS.presetProtected, PROBLEMS.groupHasChildren, PROBLEMS.lastAdmin],
    handler: async ({ context, access, params }) => {
      const { effect, task } = await deleteGroup(context, access, params.group);
      const body = { ...toTokenTimes(), effect };
      if (!task || context.dryRun) return { status: 200, body: { ...body, task: null } };
      return acceptedTask(task, { ...body, task: toTask(task) });
    },
  }),
];
