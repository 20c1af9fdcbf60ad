/** Members of a workspace. */
import type { WorkspaceAccess } from '../access.ts';
import type { RequestContext } from '../context.ts';
import { answerSortedPage, pageOf } from '../cursor.ts';
import { PROBLEMS } from '../problems.ts';
import { Removal, type Revocation, RevokeQuery } from '../revocations/schema.ts';
import { revokeAccess } from '../revocations/service.ts';
import { defineRoute } from '../route.ts';
import { toTokenTimes } from '../schema.ts';
import { listMembers } from './queries.ts';
import { Member, MemberDetail, MemberQuery, toMember } from './schema.ts';
import { getMemberDetail, removeMember } from './service.ts';

/** Before the removal: whoever removes themselves may end nothing afterwards. */
const revokeIfAsked = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { revoke_now, person }: { readonly revoke_now?: string | undefined; readonly person: string },
): Promise<Revocation | null> =>
  revoke_now === 'true' ? revokeAccess(context, access, person) : null;

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
    query: RevokeQuery,
    responses: { 200: { description: 'When this shows in tokens.', body: Removal } },
    problems: [PROBLEMS.lastAdmin, PROBLEMS.mappedMembership],
    handler: async ({ context, access, params, query }) => {
      const revocation = await revokeIfAsked(context, access, { ...query, ...params });
      await removeMember(context, access, params.person);
      return { status: 200, body: { ...toTokenTimes(), revocation } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/membership',
    summary: 'Leave the workspace and all its groups',
    permission: { workspace: 'member:leave' },
    query: RevokeQuery,
    responses: { 200: { description: 'When this shows in tokens.', body: Removal } },
    problems: [PROBLEMS.lastAdmin, PROBLEMS.mappedMembership],
    handler: async ({ context, access, query }) => {
      const person = context.personId;
      const revocation = await revokeIfAsked(context, access, { ...query, person });
      await removeMember(context, access, person);
      return { status: 200, body: { ...toTokenTimes(), revocation } };
    },
  }),
];
