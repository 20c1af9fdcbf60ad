/**
 * A small client of one kube-apiserver: JSON over HTTPS/1.1 on kept-alive connections, server-side
 * apply, and watches. It knows how to ask and what an answer means, and decides nothing.
 */
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import * as z from 'zod';
import { KubernetesError } from './kubernetes-error.ts';
import { readLines } from './read-lines.ts';

/** Who we are to the API server. */
export type Credential =
  /** Asked at each request, so that a renewed token is used from then on. */
  (
    | { readonly token: () => string }
    /** A client certificate, PEM. */
    | { readonly certificate: string; readonly privateKey: string }
  ) & {
    /** Whom it acts as, unless a request says otherwise. */
    readonly impersonate?: { readonly user: string; readonly groups: readonly string[] };
  };

/** What {@link createKubernetesClient} needs. */
export type KubernetesClientOptions = {
  /** `https://host:port` */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** The IP address to connect to instead of resolving the server's name. */
  readonly address?: string | undefined;
  readonly credential: Credential;
  /** Requests in flight at once, watches aside. */
  readonly connections?: number;
  /** How long an answer may take to its end, in milliseconds; half a minute, if not said. */
  readonly answerMs?: number;
};

/** A request's body, headers and the like. */
export type RequestOptions = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
};

/** An event of a watch; `object` is as the API server sends it. */
export type WatchEvent = { readonly type: string; readonly object: unknown };

/** A connection to one API server. */
export type KubernetesClient = AsyncDisposable & {
  /** @throws KubernetesError when the API server refuses */
  readonly request: (path: string, options?: RequestOptions) => Promise<unknown>;
  /**
   * The events of a watch as they come, until the API server ends it; `null` for a line that is not
   * JSON. Ends early, by throwing, when `signal` aborts or the connection breaks.
   */
  readonly watch: (
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => AsyncIterable<WatchEvent | null>;
};

const REQUEST_TIMEOUT_MS = 15_000;
/** Of somebody else's server; read as JSON it takes twenty times as much. */
const LONGEST_ANSWER_BYTES = 16 * 1024 * 1024;
/** A server that trickles its answer never comes to a time-out between two bytes. */
const LONGEST_ANSWER_MS = 30_000;
const LONGEST_MESSAGE = 1_000;
const RETRIES = 3;
const LONGEST_RETRY_AFTER_MS = 10_000;

/** Opens no connection until the first request. */
export const createKubernetesClient = (options: KubernetesClientOptions): KubernetesClient => {
  const { credential, answerMs = LONGEST_ANSWER_MS } = options;
  const settings = {
    // The API server lets one HTTP/2 connection starve; kept-alive HTTP/1.1 connections share evenly.
    allowH2: false,
    keepAliveTimeout: 60_000,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connect: {
      ca: options.certificateAuthority,
      timeout: 5_000,
      ...(options.address && { lookup: pinnedTo(options.address) }),
      ...('certificate' in credential && {
        cert: credential.certificate,
        key: credential.privateKey,
      }),
    },
  };
  const requests = new Pool(options.server, {
    ...settings,
    bodyTimeout: REQUEST_TIMEOUT_MS,
    connections: options.connections ?? 32,
    // Whose address is pinned is somebody else's server, and may answer without end.
    ...(options.address && { maxResponseSize: LONGEST_ANSWER_BYTES }),
  });
  const watches = new Pool(options.server, { ...settings, bodyTimeout: 0, pipelining: 0 });
  const headers = headersOf(credential);
  return {
    request: (path, request = {}) => send({ pool: requests, headers, answerMs }, path, request),
    watch: (path, query, signal) => watch(watches, { headers, path, query, signal }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([requests.destroy(), watches.destroy()]);
    },
  };
};

/** Of each request; one that names whom it acts as acts as nobody else besides. */
const headersOf =
  (credential: Credential): Headers =>
  (extra = {}) => {
    const { impersonate } = credential;
    return {
      ...('token' in credential && { authorization: `Bearer ${credential.token()}` }),
      ...(impersonate &&
        !('impersonate-user' in extra) && {
          'impersonate-user': impersonate.user,
          'impersonate-group': [...impersonate.groups],
        }),
      ...extra,
    };
  };

/** A name that is resolved again may lead elsewhere than where it was allowed to. */
const pinnedTo =
  (address: string): LookupFunction =>
  (_hostname, { all }, callback) => {
    const family = isIP(address);
    if (all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

type Headers = (
  extra?: Readonly<Record<string, string>>,
) => Readonly<Record<string, string | string[]>>;

type Sender = { readonly pool: Pool; readonly headers: Headers; readonly answerMs: number };

const send = async (
  { pool, headers, answerMs }: Sender,
  path: string,
  { method = 'GET', query, body, contentType, headers: extra, signal }: RequestOptions,
): Promise<unknown> => {
  for (let attempt = 0; ; attempt += 1) {
    const [response, answer] = await inTime(answerMs, signal, async (deadline) => {
      const opened = await pool.request({
        method,
        path,
        ...(query && { query }),
        headers: {
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': contentType ?? 'application/json' }),
          ...headers(extra),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: deadline,
      });
      return [opened, parseAnswer(await opened.body.text())] as const;
    });
    // Redirects too are refusals: they are not followed, and what was asked for is not done.
    if (response.statusCode < 300) return answer;
    const wait = retryAfter(response);
    if (wait === undefined || attempt === RETRIES) {
      throw new KubernetesError(`${method} ${path}`, response.statusCode, toStatus(answer));
    }
    await delay(wait, undefined, { signal });
  }
};

/** Does something that has to end in time. @throws Error with the code `ETIMEDOUT` */
const inTime = async <Result>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> => {
  const controller = new AbortController();
  const late = Object.assign(new Error(`no complete answer after ${ms} ms`), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => controller.abort(late), ms);
  const follow = () => controller.abort(signal?.reason);
  if (signal?.aborted) follow();
  signal?.addEventListener('abort', follow, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', follow);
  }
};

/** Milliseconds that an overloaded API server asks us to wait (priority and fairness, 429). */
const retryAfter = ({ statusCode, headers }: Dispatcher.ResponseData): number | undefined => {
  if (statusCode !== 429) return undefined;
  const seconds = Number(headers['retry-after'] ?? 1);
  return Math.min(Number.isFinite(seconds) ? seconds * 1000 : 1000, LONGEST_RETRY_AFTER_MS);
};

async function* watch(
  pool: Pool,
  request: {
    readonly headers: Headers;
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<WatchEvent | null> {
  const { headers, path, query, signal } = request;
  const response = await pool.request({
    method: 'GET',
    path,
    query: { ...query, watch: 'true' },
    headers: { ...headers(), accept: 'application/json' },
    signal,
  });
  if (response.statusCode >= 300) {
    const answer = parseAnswer(await response.body.text());
    throw new KubernetesError(`WATCH ${path}`, response.statusCode, toStatus(answer));
  }
  for await (const line of readLines(response.body)) yield parseEvent(line);
}

const parseEvent = (line: string): WatchEvent | null => {
  const event = parseAnswer(line);
  return typeof event === 'object' && event !== null && 'type' in event && 'object' in event
    ? (event as WatchEvent)
    : null;
};

/** Proxies and a starting API server answer plain text, which says nothing to us. */
const parseAnswer = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const Status = z.object({
  kind: z.literal('Status'),
  reason: z.string().optional(),
  message: z.string().optional(),
});

/** What is told of a refusal ends up before people: no more than Kubernetes' own words, and not too many. */
const toStatus = (answer: unknown): { reason?: string; message?: string } => {
  const { data } = Status.safeParse(answer);
  if (!data) return { message: 'the answer is no Status of Kubernetes' };
  const { reason = '', message = reason } = data;
  return { reason: reason.slice(0, 100), message: message.slice(0, LONGEST_MESSAGE) };
};
