/** Diffs: what would change in a workspace's cluster just now, as `kubectl diff` shows it. */
import { parseId } from '#domain/identifiers.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders, waitHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { Diff, DiffCreated, toDiff } from './schema.ts';
import { getDiff, requestDiff } from './service.ts';

const RETRY_AFTER_SECONDS = '1';

export const diffRoutes = [
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/diffs',
    summary: 'Ask what would be changed in the cluster of a workspace just now',
    description:
      'Nothing is changed, neither here nor in the cluster: each object is sent to its API server as a server-side dry run, so that the server itself says what would come of it. What is found is put right by the next look all the same, without anybody asking. Read the answer at `/v1/workspaces/{workspace}/diffs/{diff}`.',
    permission: { workspace: 'workspace:diff' },
    responses: {
      202: {
        description: 'It is being found out; the task ends when it is known.',
        body: DiffCreated,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access }) => {
      const { diff, task } = await requestDiff(context, access.workspaceId);
      return acceptedTask(task, { diff: toDiff(diff), task: toTask(task) });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/diffs/{diff}',
    summary: 'Read a diff; with "Prefer: wait=N" wait until it is known, at most 30 seconds',
    permission: { workspace: 'workspace:diff' },
    responses: { 200: { description: 'The diff.', body: Diff, headers: waitHeaders } },
    handler: async ({ context, access, params }) => {
      const row = await getDiff(context, access.workspaceId, params.diff);
      const headers: Record<string, string> =
        row.finished_at === null ? { 'Retry-After': RETRY_AFTER_SECONDS } : {};
      return { status: 200, body: toDiff(row), headers };
    },
    waitsFor: ({ body }) =>
      body.finished_at === null ? parseId('workspace', body.workspace) : undefined,
  }),
];
