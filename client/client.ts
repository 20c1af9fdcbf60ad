/**
 * The tenancy API for TypeScript, in Node and in browsers: paths, parameters, bodies and answers are
 * typed from the API's own OpenAPI document.
 */
import createFetchClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

/** The shapes that the API's document names, such as `Schemas['Workspace']`. */
export type Schemas = components['schemas'];
/** A task: what goes on in a cluster after an answer 202. */
export type Task = Schemas['Task'];
/** What the API says of a failure (RFC 9457). */
export type ProblemDetails = Schemas['Problem'];

/** A method for each HTTP method; each answers `{ data, error, response }` and throws for no status. */
export type TenancyApiClient = Client<paths>;

/** Where the API is and who calls it. */
export type ClientOptions = {
  /** Such as `https://api.example.com`. */
  readonly baseUrl: string;
  /** An access token with the scope `api`, or what gives one at each request. */
  readonly token: string | (() => string | Promise<string>);
  /** Instead of the global fetch. */
  readonly fetch?: (request: Request) => Promise<Response>;
};

/** A client that sends the token with each request. */
export const createClient = ({ baseUrl, token, fetch }: ClientOptions): TenancyApiClient => {
  const client = createFetchClient<paths>({ baseUrl, ...(fetch && { fetch }) });
  client.use({
    onRequest: async ({ request }) => {
      const value = typeof token === 'string' ? token : await token();
      request.headers.set('Authorization', `Bearer ${value}`);
    },
  });
  return client;
};

/** An answer that is a problem, thrown by {@link unwrap}. */
export class ProblemError extends Error {
  readonly status: number;
  readonly problem: ProblemDetails;

  constructor(problem: ProblemDetails) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.problem = problem;
  }
}

type Answer<T> = {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
};

/**
 * The data of an answer, for callers who can't go on without it.
 *
 * @throws ProblemError when the answer is a problem
 */
export const unwrap = async <T>(answer: Answer<T> | Promise<Answer<T>>): Promise<T> => {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  if (isProblem(error)) throw new ProblemError(error);
  throw new Error(`${response.url} answered ${response.status} without saying why`);
};

const isProblem = (error: unknown): error is ProblemDetails =>
  typeof error === 'object' && error !== null && 'type' in error && 'detail' in error;

/** How {@link waitForTask} waits. */
export type WaitOptions = {
  /** Called with the task each time it is read. */
  readonly onProgress?: (task: Task) => void;
  /** Gives up when it is aborted, such as by `AbortSignal.timeout(60_000)`. */
  readonly signal?: AbortSignal;
};

const WAIT_SECONDS = 10;

/**
 * Waits for a task's end, whatever the end is: see its `state`. The API answers as soon as it is there.
 *
 * @throws ProblemError when the task can't be read, and the signal's reason when that is aborted
 */
export const waitForTask = async (
  client: TenancyApiClient,
  id: string,
  { onProgress, signal }: WaitOptions = {},
): Promise<Task> => {
  for (;;) {
    const task = await unwrap(
      client.GET('/v1/tasks/{task}', {
        params: { path: { task: id } },
        headers: { Prefer: `wait=${onProgress ? 1 : WAIT_SECONDS}` },
        ...(signal && { signal }),
      }),
    );
    onProgress?.(task);
    if (task.finished_at !== null) return task;
  }
};
