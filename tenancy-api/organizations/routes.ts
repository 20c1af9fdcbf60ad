/** Organizations: who pays and who creates workspaces. They give no right inside a workspace. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { defineRoute } from '../route.ts';
import { getOrganization, listOrganizations } from './queries.ts';
import { Organization, toOrganization } from './schema.ts';

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
    method: 'GET',
    path: '/v1/organizations/{organization}',
    summary: 'Read an organization',
    permission: { organization: 'organization:read' },
    responses: { 200: { description: 'The organization.', body: Organization } },
    handler: async ({ context, params }) => ({
      status: 200,
      body: toOrganization(
        await getOrganization(context.tx, params.organization, context.personId),
      ),
    }),
  }),
];
