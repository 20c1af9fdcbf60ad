/** Plans: the limits of a workspace and of its projects. Made by the platform's administrator. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { defineRoute } from '../route.ts';
import { listPlans } from './queries.ts';
import { Plan, toPlan } from './schema.ts';

export const planRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/plans',
    summary: 'List the plans that a new workspace can have',
    permission: 'signed-in',
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Plan, 'Plan') } },
    handler: ({ context, query }) =>
      answerPage(context, query, {
        read: (page) => listPlans(context.tx, page),
        idOf: (row) => row.id,
        toItem: toPlan,
      }),
  }),
];
