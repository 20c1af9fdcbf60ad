/** Plans: the limits of a workspace and of its projects. Made by the platform's administrators. */
import { formatId } from '#domain/identifiers.ts';
import { answerPage, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { listPlans } from './queries.ts';
import {
  CreatePlan,
  Plan,
  PlanDetails,
  PlanQuery,
  toPlan,
  toPlanDetails,
  UpdatePlan,
} from './schema.ts';
import { createPlan, getPlan, retirePlan, updatePlan } from './service.ts';

export const planRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/plans',
    summary: 'List the plans that a new workspace can have',
    permission: 'signed-in',
    query: PlanQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Plan, 'Plan') } },
    handler: ({ context, query }) =>
      answerPage(context, query, {
        read: (page) => listPlans(context.tx, query.retired === 'true', page),
        idOf: (row) => row.id,
        toItem: toPlan,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/plans',
    summary: 'Create a plan',
    permission: { platform: 'plan:write' },
    body: CreatePlan,
    problems: [PROBLEMS.alreadyExists, PROBLEMS.unprocessable],
    responses: {
      201: {
        description: 'The plan.',
        body: PlanDetails,
        headers: { Location: 'The plan.', ...etagHeaders },
      },
    },
    handler: async ({ context, body }) => {
      const row = await createPlan(context, body);
      const headers = {
        Location: `/v1/plans/${formatId('plan', row.id)}`,
        ...versionHeaders(row.version),
      };
      return { status: 201, body: toPlanDetails(row), headers };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/plans/{plan}',
    summary: 'Read a plan',
    permission: 'signed-in',
    responses: { 200: { description: 'The plan.', body: PlanDetails, headers: etagHeaders } },
    handler: async ({ context, params }) => {
      const row = await getPlan(context, params.plan);
      const body = (await context.isPlatformAdmin(context.tx)) ? toPlanDetails(row) : toPlan(row);
      return { status: 200, body, headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/plans/{plan}',
    summary: 'Change a plan, for all workspaces that have it',
    permission: { platform: 'plan:write' },
    body: UpdatePlan,
    ifMatch: true,
    problems: [PROBLEMS.planInUse, PROBLEMS.unprocessable],
    responses: {
      200: {
        description: 'The plan; new limits reach the clusters within seconds.',
        body: PlanDetails,
        headers: etagHeaders,
      },
    },
    handler: async ({ context, params, body }) => {
      const row = await updatePlan(context, params.plan, body);
      return { status: 200, body: toPlanDetails(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/plans/{plan}',
    summary: 'Retire a plan: no workspace can come to it, who has it keeps it',
    permission: { platform: 'plan:write' },
    responses: {
      200: { description: 'The retired plan.', body: PlanDetails, headers: etagHeaders },
    },
    handler: async ({ context, params }) => {
      const row = await retirePlan(context, params.plan);
      return { status: 200, body: toPlanDetails(row), headers: versionHeaders(row.version) };
    },
  }),
];
