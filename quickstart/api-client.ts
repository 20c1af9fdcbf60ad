/** The tenancy API as one person, waiting for the tasks that changes start. */
import {
  createClient,
  type Task,
  type TenancyApiClient,
  unwrap,
  waitForTask,
} from '../client/client.ts';

export type { Task };

/** An answer: its status and its JSON, or the text of anything else. */
export type Answer = { readonly status: number; readonly body: unknown };

/** The API as one person. */
export type ApiClient = {
  /** Typed by the API's own description. */
  readonly client: TenancyApiClient;
  /**
   * A request written as one would with curl.
   *
   * @throws ProblemError when the answer is a problem
   */
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
  const client = createClient({ baseUrl: apiUrl, token: accessToken });
  const send = (method: string, path: string, body: unknown) => sendRaw(client, method, path, body);
  return {
    client,
    attempt: async (method, path, body) => {
      const { data, error, response } = await send(method, path, body);
      return { status: response.status, body: error ?? parse(response, data) };
    },
    request: async (method, path, body) => {
      const answer = await send(method, path, body);
      const text = await unwrap(answer);
      return { status: answer.response.status, body: parse(answer.response, text) };
    },
    untilEnded: async (taskId, onProgress) => {
      const signal = AbortSignal.timeout(WAIT_MS);
      const task = await waitForTask(client, taskId, { signal, ...(onProgress && { onProgress }) });
      if (task.state === 'succeeded') return task;
      throw new Error(`${task.kind} ended as ${task.state}: ${JSON.stringify(task.error)}`);
    },
  };
};

type RawAnswer = { readonly data?: string; readonly error?: unknown; readonly response: Response };

/** Past the types: a path that is written out names none that the description has. */
const sendRaw = (
  client: TenancyApiClient,
  ...[method, path, body]: Parameters<ApiClient['attempt']>
): Promise<RawAnswer> => {
  const request = client.request as (
    method: string,
    path: string,
    init: { readonly body?: unknown; readonly parseAs: 'text' },
  ) => Promise<RawAnswer>;
  return request(method, path, { parseAs: 'text', ...(body !== undefined && { body }) });
};

const parse = (response: Response, text: string | undefined): unknown =>
  response.headers.get('Content-Type')?.includes('json') && text ? JSON.parse(text) : text;
