/** Users of an organization: who pays, and who decides about its workspaces. */
import { formatId } from '#domain/identifiers.ts';
import { answerPage, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { Organization, toOrganization } from '../organizations/schema.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { transferOrganization } from './ownership.ts';
import { listUsers } from './queries.ts';
import {
  AddOrganizationUser,
  OrganizationUser,
  OrganizationUserQuery,
  TransferOrganization,
  toOrganizationUser,
  UpdateOrganizationUser,
} from './schema.ts';
import { addUser, changeRole, getUser, leaveOrganization, removeUser } from './service.ts';

export const organizationUserRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/organizations/{organization}/users',
    summary: 'List the users of an organization',
    permission: { organization: 'organization-user:read' },
    query: OrganizationUserQuery,
    responses: {
      200: { description: 'A page.', body: pageOf(OrganizationUser, 'OrganizationUser') },
    },
    handler: ({ context, access: { organizationId }, query }) =>
      answerPage(context, query, {
        read: (page) => listUsers(context.tx, { organizationId, role: query.role ?? null }, page),
        idOf: (row) => row.person_id,
        toItem: toOrganizationUser,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/organizations/{organization}/users',
    summary: 'Make someone a user of the organization',
    permission: { organization: 'organization-user:write' },
    body: AddOrganizationUser,
    responses: {
      201: {
        description: 'The user.',
        body: OrganizationUser,
        headers: { Location: 'The user.', ...etagHeaders },
      },
    },
    problems: [PROBLEMS.organizationDeleting, PROBLEMS.unprocessable, PROBLEMS.alreadyExists],
    handler: async ({ context, access, body }) => {
      const row = await addUser(context, access, body);
      const user = toOrganizationUser(row);
      const organization = formatId('organization', access.organizationId);
      const Location = `/v1/organizations/${organization}/users/${user.id}`;
      return { status: 201, body: user, headers: { Location, ...versionHeaders(row.version) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/organizations/{organization}/users/{person}',
    summary: 'Read a user of the organization',
    permission: { organization: 'organization-user:read' },
    responses: { 200: { description: 'The user.', body: OrganizationUser, headers: etagHeaders } },
    handler: async ({ context, access: { organizationId }, params }) => {
      const row = await getUser(context, { organizationId, personId: params.person });
      return { status: 200, body: toOrganizationUser(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/organizations/{organization}/users/{person}',
    summary: 'Give a user of the organization another role',
    permission: { organization: 'organization-user:write' },
    body: UpdateOrganizationUser,
    ifMatch: true,
    responses: { 200: { description: 'The user.', body: OrganizationUser, headers: etagHeaders } },
    problems: [PROBLEMS.lastOwner, PROBLEMS.privateOrganization],
    handler: async ({ context, access, params, body }) => {
      const change = { personId: params.person, role: body.role };
      const row = await changeRole(context, access, change);
      return { status: 200, body: toOrganizationUser(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/organizations/{organization}/users/{person}',
    summary: 'Remove a user from the organization; what they are in workspaces stays',
    permission: { organization: 'organization-user:write' },
    responses: { 204: { description: 'They are no user of it any more.' } },
    problems: [PROBLEMS.lastOwner, PROBLEMS.privateOrganization],
    handler: async ({ context, access, params }) => {
      await removeUser(context, access, params.person);
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/organizations/{organization}/transfer',
    summary: 'Make another user the owner in your place, and become an admin',
    permission: { organization: 'organization:transfer' },
    body: TransferOrganization,
    responses: {
      200: { description: 'The organization.', body: Organization, headers: etagHeaders },
    },
    problems: [PROBLEMS.privateOrganization, PROBLEMS.unprocessable, PROBLEMS.lastOwner],
    handler: async ({ context, access, body }) => {
      const row = await transferOrganization(context, access, body.to);
      return { status: 200, body: toOrganization(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/organizations/{organization}/membership',
    summary: 'Leave the organization; what you are in workspaces stays',
    permission: { organization: 'organization-user:leave' },
    responses: { 204: { description: 'You are no user of it any more.' } },
    problems: [PROBLEMS.lastOwner, PROBLEMS.privateOrganization],
    handler: async ({ context, access }) => {
      await leaveOrganization(context, access);
      return { status: 204 };
    },
  }),
];
