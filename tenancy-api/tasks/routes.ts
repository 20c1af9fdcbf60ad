/** Tasks: what goes on in a cluster after an answer 202. */
import { parseId } from '#domain/identifiers.ts';
import { notFound } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { waitHeaders } from '../schema.ts';
import { findTask } from './queries.ts';
import { Task, toTask } from './schema.ts';

const RETRY_AFTER_SECONDS = '1';

export const taskRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/tasks/{task}',
    summary: 'Read a task; with "Prefer: wait=N" wait for its end, at most 30 seconds',
    permission: 'signed-in',
    responses: {
      200: {
        description: 'The task.',
        body: Task,
        headers: waitHeaders,
      },
    },
    handler: async ({ context, params }) => {
      const task = await findTask(context.tx, params.task, context.personId);
      if (!task) throw notFound();
      const headers: Record<string, string> =
        task.finished_at === null ? { 'Retry-After': RETRY_AFTER_SECONDS } : {};
      return { status: 200, body: toTask(task), headers };
    },
    waitsFor: ({ body }) =>
      body.finished_at === null ? parseId('workspace', body.workspace) : undefined,
  }),
];
