/** Organizations: who pays and who creates workspaces. They give no right inside a workspace. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { listOrganizations } from './queries.ts';
import { CreateOrganization, Organization, toOrganization, UpdateOrganization } from './schema.ts';
import { createOrganization, getOrganization, updateOrganization } from './service.ts';

export const organizationRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/organizations',
    summary: 'List the organizations that you are a user of',
    permission: 'signed-in',
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Organization, 'Organization') } },
    handler: ({ context, query }) =>
      answerPage(context, query, {
        read: (page) => listOrganizations(context.tx, context.personId, page),
        idOf: (row) => row.id,
        toItem: toOrganization,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/organizations',
    summary: 'Create an organization and become its owner',
    permission: 'signed-in',
    body: CreateOrganization,
    responses: {
      201: {
        description: 'The organization.',
        body: Organization,
        headers: { Location: 'The organization.', ...etagHeaders },
      },
    },
    problems: [PROBLEMS.alreadyExists, PROBLEMS.organizationLimitReached],
    handler: async ({ context, body }) => {
      const row = await createOrganization(context, body);
      const organization = toOrganization(row);
      const Location = `/v1/organizations/${organization.id}`;
      const headers = { Location, ...versionHeaders(row.version) };
      return { status: 201, body: organization, headers };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/organizations/{organization}',
    summary: 'Read an organization',
    permission: { organization: 'organization:read' },
    responses: {
      200: { description: 'The organization.', body: Organization, headers: etagHeaders },
    },
    handler: async ({ context, params }) => {
      const row = await getOrganization(context, params.organization);
      return { status: 200, body: toOrganization(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/organizations/{organization}',
    summary: 'Change the name or the slug of an organization',
    permission: { organization: 'organization:write' },
    body: UpdateOrganization,
    ifMatch: true,
    responses: {
      200: { description: 'The organization.', body: Organization, headers: etagHeaders },
    },
    problems: [PROBLEMS.alreadyExists],
    handler: async ({ context, params, body }) => {
      const row = await updateOrganization(context, params.organization, body);
      return { status: 200, body: toOrganization(row), headers: versionHeaders(row.version) };
    },
  }),
];
