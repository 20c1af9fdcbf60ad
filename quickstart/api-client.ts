/** Requests to the tenancy API as a person, waiting for the tasks that changes start. */
import { fetch } from 'undici';
import * as z from 'zod';

/** A task as the API shows it; times in ISO 8601. */
const Task = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(['pending', 'running', 'succeeded', 'failed', 'cancelled']),
  progress: z.number(),
  step: z.string().nullable(),
  error: z.unknown(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Task = z.infer<typeof Task>;

/** An answer: its status and its JSON. */
export type Answer = { readonly status: number; readonly body: unknown };

/** The API as one person. */
export type ApiClient = {
  /** @throws when the answer is a problem, with its detail */
  readonly request: (method: string, path: string, body?: unknown) => Promise<Answer>;
  /** As `request`, and also for answers that are problems. */
  readonly attempt: (method: string, path: string, body?: unknown) => Promise<Answer>;
  /**
   * Waits until a task has ended.
   *
   * @throws when it failed or takes more than three minutes
   */
  readonly untilEnded: (taskId: string, onProgress?: (task: Task) => void) => Promise<Task>;
};

const WAIT_MS = 180_000;

/** @param accessToken gives a valid token at each call */
export const createApiClient = (apiUrl: string, accessToken: () => Promise<string>): ApiClient => {
  const attempt: ApiClient['attempt'] = async (method, path, body) => {
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await accessToken()}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(path.startsWith('/v1/tasks/') && { prefer: 'wait=1' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, body: isJson && text !== '' ? JSON.parse(text) : text };
  };
  const request: ApiClient['request'] = async (method, path, body) => {
    const answer = await attempt(method, path, body);
    if (answer.status >= 400) {
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer;
  };
  const untilEnded: ApiClient['untilEnded'] = async (taskId, onProgress) => {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const task = Task.parse((await request('GET', `/v1/tasks/${taskId}`)).body);
      onProgress?.(task);
      if (task.state === 'succeeded') return task;
      if (task.state !== 'pending' && task.state !== 'running') {
        throw new Error(`${task.kind} ended as ${task.state}: ${JSON.stringify(task.error)}`);
      }
      if (Date.now() > deadline) throw new Error(`${task.kind} takes too long: ${task.step}`);
    }
  };
  return { attempt, request, untilEnded };
};
