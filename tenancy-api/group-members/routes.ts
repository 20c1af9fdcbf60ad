/** Direct members of groups. Every change says when it shows in tokens. */
import * as z from 'zod';
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { getGroup } from '../groups/service.ts';
import { Member, MemberAdded, toMember } from '../members/schema.ts';
import { defineRoute } from '../route.ts';
import { ConnectorName, ConnectorSubject, TokenTimes, toTokenTimes } from '../schema.ts';
import { listGroupMembers } from './queries.ts';
import { addGroupMember, addIdentityToGroup, removeGroupMember } from './service.ts';

const AddIdentity = z
  .strictObject({ connector: ConnectorName, subject: ConnectorSubject })
  .meta({ id: 'AddIdentity' });

export const groupMemberRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups/{group}/members',
    summary: 'List the direct members of a group',
    permission: { workspace: 'member:read' },
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Member, 'Member') } },
    handler: async ({ context, access, params, query }) => {
      const { workspaceId } = access;
      await getGroup(context, workspaceId, params.group);
      return answerPage(context, query, {
        read: (page) => listGroupMembers(context.tx, { workspaceId, groupId: params.group }, page),
        idOf: (row) => row.person_id,
        toItem: toMember,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/groups/{group}/members',
    summary: 'Put whoever signs in with an identity into a group',
    permission: { workspace: 'member:write' },
    body: AddIdentity,
    responses: {
      200: { description: 'They are in it, now or as before.', body: MemberAdded },
    },
    handler: async ({ context, access, params, body }) => {
      const row = await addIdentityToGroup(context, access, { groupId: params.group, ...body });
      return { status: 200, body: { member: toMember(row), ...toTokenTimes() } };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/workspaces/{workspace}/groups/{group}/members/{person}',
    summary: 'Put a person into a group',
    permission: { workspace: 'member:write' },
    responses: {
      200: { description: 'They are in it, now or as before.', body: MemberAdded },
    },
    handler: async ({ context, access, params }) => {
      const membership = { groupId: params.group, personId: params.person };
      const row = await addGroupMember(context, access, membership);
      return { status: 200, body: { member: toMember(row), ...toTokenTimes() } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/groups/{group}/members/{person}',
    summary: 'Take a direct member out of a group',
    permission: { workspace: 'member:write' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      const membership = { groupId: params.group, personId: params.person };
      await removeGroupMember(context, access, membership);
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
