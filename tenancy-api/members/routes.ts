/** Members of a workspace. */
import { answerSortedPage, pageOf } from '../cursor.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { listMembers } from './queries.ts';
import { Member, MemberDetail, MemberQuery, toMember } from './schema.ts';
import { getMemberDetail, removeMember } from './service.ts';

export const memberRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/members',
    summary: 'List the members of a workspace',
    permission: { workspace: 'member:read' },
    query: MemberQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Member, 'Member') } },
    handler: ({ context, access: { workspaceId }, query }) =>
      answerSortedPage(context, query, {
        read: (page) =>
          listMembers(context.tx, { workspaceId, search: query.search ?? null }, page),
        positionOf: (row) => ({ id: row.person_id, name: row.display_name }),
        toItem: toMember,
      }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/members/{person}',
    summary: 'Read a member with their direct and effective groups',
    permission: { workspace: 'member:read' },
    responses: { 200: { description: 'The member.', body: MemberDetail } },
    handler: async ({ context, access, params }) => ({
      status: 200,
      body: await getMemberDetail(context, access.workspaceId, params.person),
    }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/members/{person}',
    summary: 'Remove a member from the workspace and all its groups',
    permission: { workspace: 'member:write' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    problems: [PROBLEMS.lastAdmin, PROBLEMS.mappedMembership],
    handler: async ({ context, access, params }) => {
      await removeMember(context, access, params.person);
      return { status: 200, body: toTokenTimes() };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/membership',
    summary: 'Leave the workspace and all its groups',
    permission: { workspace: 'member:leave' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    problems: [PROBLEMS.lastAdmin, PROBLEMS.mappedMembership],
    handler: async ({ context, access }) => {
      await removeMember(context, access, context.personId);
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
