/** Connectors: the identity providers that people sign in with, as the issuer has them. */
import { pageOf } from '../cursor.ts';
import { defineRoute } from '../route.ts';
import { listConnectors } from './queries.ts';
import { Connector } from './schema.ts';

export const connectorRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/connectors',
    summary: 'List the identity providers that people sign in with',
    permission: 'signed-in',
    responses: {
      200: {
        description: 'All of them, by id; there is no next page.',
        body: pageOf(Connector, 'Connector'),
      },
    },
    handler: async ({ context }) => ({
      status: 200,
      body: { items: [...(await listConnectors(context.tx))], next_cursor: null },
    }),
  }),
];
