/** The drift ledger: what was changed in a workspace's cluster past the platform, and what became of it. */
import { answerPage, pageOf } from '../cursor.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { listDrift, loadDriftMode } from './queries.ts';
import { Drift, DriftMode, DriftQuery, toDrift } from './schema.ts';
import { getDrift, retryDrift, setDriftMode } from './service.ts';

export const driftRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/drift',
    summary:
      'List what was changed in the cluster of a workspace past the platform, the newest first',
    permission: { workspace: 'drift:list' },
    query: DriftQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Drift, 'Drift') } },
    handler: ({ context, access, query }) => {
      const { state, kind, action } = query;
      const filter = { workspaceId: access.workspaceId, state, kind, action };
      return answerPage(context, query, {
        read: (page) => listDrift(context.tx, filter, page),
        idOf: (row) => row.id,
        toItem: toDrift,
      });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/drift/{drift}',
    summary: 'Read one entry of the drift ledger',
    permission: { workspace: 'drift:list' },
    responses: { 200: { description: 'The entry.', body: Drift } },
    handler: async ({ context, access, params }) => {
      const row = await getDrift(context, access.workspaceId, params.drift);
      return { status: 200, body: toDrift(row) };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/drift/{drift}/retry',
    summary: 'Have a contested object put back at once',
    description:
      'Something changed the object each time that it was put back, so it was left for a while. Find out what that was and stop it, then ask for this.',
    permission: { workspace: 'workspace:write' },
    responses: { 200: { description: 'The entry; it is put back at the next look.', body: Drift } },
    problems: [PROBLEMS.driftNotContested],
    handler: async ({ context, access, params }) => {
      const row = await retryDrift(context, access, params.drift);
      return { status: 200, body: toDrift(row) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/drift-mode',
    summary: 'Read how drift is treated',
    permission: { workspace: 'drift:list' },
    responses: { 200: { description: 'The mode.', body: DriftMode } },
    handler: async ({ context, access }) => ({
      status: 200,
      body: { mode: await loadDriftMode(context.tx, access.workspaceId) },
    }),
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/workspaces/{workspace}/drift-mode',
    summary: 'Decide how drift is treated',
    description: 'Holds for what is open now as well, from the next look on, which is asked for.',
    permission: { workspace: 'workspace:write' },
    body: DriftMode,
    responses: { 200: { description: 'The mode.', body: DriftMode } },
    handler: async ({ context, access, body }) => ({
      status: 200,
      body: await setDriftMode(context, access, body),
    }),
  }),
];
