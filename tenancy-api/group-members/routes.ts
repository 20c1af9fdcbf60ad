/** Who is in a group: people and service accounts. Every change says when it shows in tokens. */
import { answerPage, pageOf } from '../cursor.ts';
import { getGroup } from '../groups/service.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { getServiceAccount } from '../service-accounts/service.ts';
import { listGroupMembers } from './queries.ts';
import {
  AddIdentity,
  GroupMember,
  GroupMemberAdded,
  GroupMemberQuery,
  GroupServiceAccount,
  GroupServiceAccountAdded,
  SetMembership,
  toGroupMember,
  toGroupServiceAccount,
} from './schema.ts';
import { addIdentityToGroup, removeMembership, setGroupMember, setMembership } from './service.ts';

const personRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups/{group}/members',
    summary: 'List the members of a group',
    permission: { workspace: 'member:read' },
    query: GroupMemberQuery,
    responses: { 200: { description: 'A page.', body: pageOf(GroupMember, 'GroupMember') } },
    handler: async ({ context, access: { workspaceId }, params: { group: groupId }, query }) => {
      await getGroup(context, workspaceId, groupId);
      const effective = query.effective === 'true';
      const filter = { workspaceId, groupId, effective, kind: 'person' } as const;
      return answerPage(context, query, {
        read: (page) => listGroupMembers(context.tx, filter, page),
        idOf: (row) => row.member_id,
        toItem: toGroupMember,
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
      200: { description: 'They are in it, now or as before.', body: GroupMemberAdded },
    },
    problems: [PROBLEMS.lastAdmin, PROBLEMS.unprocessable],
    handler: async ({ context, access, params, body }) => {
      const { expires_at: expiresAt, ...identity } = body;
      const input = { groupId: params.group, ...identity, expiresAt };
      const row = await addIdentityToGroup(context, access, input);
      return { status: 200, body: { member: toGroupMember(row), ...toTokenTimes() } };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/workspaces/{workspace}/groups/{group}/members/{person}',
    summary: 'Put a person into a group, or change until when they are in it',
    permission: { workspace: 'member:write' },
    body: SetMembership,
    responses: {
      200: { description: 'They are in it, now or as before.', body: GroupMemberAdded },
    },
    problems: [PROBLEMS.lastAdmin],
    handler: async ({ context, access, params, body }) => {
      const expiresAt = body?.expires_at;
      const input = { groupId: params.group, personId: params.person, expiresAt };
      const row = await setGroupMember(context, access, input);
      return { status: 200, body: { member: toGroupMember(row), ...toTokenTimes() } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/groups/{group}/members/{person}',
    summary: 'Take a direct member out of a group',
    permission: { workspace: 'member:write' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    problems: [PROBLEMS.lastAdmin, PROBLEMS.mappedMembership],
    handler: async ({ context, access, params: { group: groupId, person: memberId } }) => {
      await removeMembership(context, access, { kind: 'person', groupId, memberId });
      return { status: 200, body: toTokenTimes() };
    },
  }),
];

const serviceAccountRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/groups/{group}/service-accounts',
    summary: 'List the service accounts in a group',
    permission: { workspace: 'service-account:read' },
    query: GroupMemberQuery,
    responses: {
      200: { description: 'A page.', body: pageOf(GroupServiceAccount, 'GroupServiceAccount') },
    },
    handler: async ({ context, access: { workspaceId }, params: { group: groupId }, query }) => {
      await getGroup(context, workspaceId, groupId);
      const effective = query.effective === 'true';
      const filter = { workspaceId, groupId, effective, kind: 'serviceAccount' } as const;
      return answerPage(context, query, {
        read: (page) => listGroupMembers(context.tx, filter, page),
        idOf: (row) => row.member_id,
        toItem: toGroupServiceAccount,
      });
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/workspaces/{workspace}/groups/{group}/service-accounts/{service_account}',
    summary: 'Put a service account into a group, or change until when it is in it',
    permission: { workspace: 'service-account:write' },
    body: SetMembership,
    responses: {
      200: { description: 'It is in it, now or as before.', body: GroupServiceAccountAdded },
    },
    handler: async ({ context, access, params, body }) => {
      const { group: groupId, service_account: memberId } = params;
      await getGroup(context, access.workspaceId, groupId);
      await getServiceAccount(context, access.workspaceId, memberId);
      const membership = { kind: 'serviceAccount', groupId, memberId } as const;
      const row = await setMembership(context, access, {
        ...membership,
        expiresAt: body?.expires_at,
      });
      return { status: 200, body: { member: toGroupServiceAccount(row), ...toTokenTimes() } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/groups/{group}/service-accounts/{service_account}',
    summary: 'Take a service account out of a group',
    permission: { workspace: 'service-account:write' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      const { group: groupId, service_account: memberId } = params;
      await removeMembership(context, access, { kind: 'serviceAccount', groupId, memberId });
      return { status: 200, body: toTokenTimes() };
    },
  }),
];

/** All routes of memberships in groups. */
export const groupMemberRoutes = [...personRoutes, ...serviceAccountRoutes];
