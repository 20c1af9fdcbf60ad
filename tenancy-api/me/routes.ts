/** The caller themselves. */
import { listOrganizations } from '../organizations/queries.ts';
import { toOrganization } from '../organizations/schema.ts';
import { defineRoute } from '../route.ts';
import { getPerson } from './queries.ts';
import { Me, toMe } from './schema.ts';

const MAX_ORGANIZATIONS = 500;

export const meRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/me',
    summary: 'Read who you are',
    permission: 'signed-in',
    responses: { 200: { description: 'You, and your organizations.', body: Me } },
    handler: async ({ context }) => {
      const { tx, personId } = context;
      const page = { after: null, take: MAX_ORGANIZATIONS };
      const organizations = await listOrganizations(tx, personId, page);
      const person = await getPerson(tx, personId);
      const platformAdmin = await context.isPlatformAdmin(context.tx);
      return { status: 200, body: toMe(person, organizations.map(toOrganization), platformAdmin) };
    },
  }),
];
