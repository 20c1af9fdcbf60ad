/** Mappings of upstream groups: whoever is in one at an identity provider is in a group here. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { getGroup } from '../groups/service.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { listGroupMappings } from './queries.ts';
import { CreateGroupMapping, GroupMapping, GroupMappingCreated, toGroupMapping } from './schema.ts';
import { createGroupMapping, removeGroupMapping } from './service.ts';

export const groupMappingRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups/{group}/group-mappings',
    summary: 'List the upstream groups whose members are in a group',
    permission: { workspace: 'member:read' },
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(GroupMapping, 'GroupMapping') } },
    handler: async ({ context, access: { workspaceId }, params: { group: groupId }, query }) => {
      await getGroup(context, workspaceId, groupId);
      return answerPage(context, query, {
        read: (page) => listGroupMappings(context.tx, { workspaceId, groupId }, page),
        idOf: (row) => row.id,
        toItem: toGroupMapping,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/groups/{group}/group-mappings',
    summary: 'Make everybody in an upstream group a member of a group',
    description:
      'Who is in the upstream group is a member at once if they have signed in before, and otherwise from their first sign-in. The provider is asked again every few minutes while tokens are issued, and whoever has left the group there leaves it here. These memberships can’t be changed one by one, count for nothing as the last admin, and stand beside memberships that somebody gave.',
    permission: { workspace: 'member:write' },
    body: CreateGroupMapping,
    responses: { 201: { description: 'It is in force.', body: GroupMappingCreated } },
    problems: [PROBLEMS.unprocessable, PROBLEMS.alreadyExists],
    handler: async ({ context, access, params, body }) => {
      const row = await createGroupMapping(context, access, { ...body, groupId: params.group });
      return { status: 201, body: { group_mapping: toGroupMapping(row), ...toTokenTimes() } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/groups/{group}/group-mappings/{group_mapping}',
    summary: 'Delete a mapping, and end the memberships that follow from it',
    permission: { workspace: 'member:write' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      const { group: groupId, group_mapping: mappingId } = params;
      await removeGroupMapping(context, access, { groupId, mappingId });
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
