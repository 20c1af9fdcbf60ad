/**
 * Redis, which may be away or empty at any moment: nothing is kept there that PostgreSQL doesn't have, and
 * no request fails or waits for it.
 */
import { Redis } from 'ioredis';
import { Counter, type Registry } from 'prom-client';
import * as z from 'zod';
import type { Logger } from '#runtime/log.ts';
import { createEpisodes, type Episodes } from './episodes.ts';

/** REDIS_URL: `rediss://` is over TLS. */
export const RedisUrl = z.url({
  protocol: /^rediss?$/,
  error: 'Must be redis://… or rediss://….',
});

const COMMAND_MS = 200;
const CONNECT_MS = 1_000;
const SOCKET_MS = 2_000;
const MAX_RECONNECT_MS = 1_000;

/** What {@link connectRedis} needs. */
export type RedisOptions = {
  readonly url: string;
  readonly log: Logger;
  readonly metrics: Registry;
};

/** A connection, and how it is asked: within {@link COMMAND_MS}, or not at all. */
export type RedisConnection = AsyncDisposable & {
  readonly client: Redis;
  readonly episodes: Episodes;
};

/**
 * Connects, now or later: a Redis that isn't there yet is one that is away. Failures are logged once for
 * each time it is away, and counted in `redis_failures_total`.
 */
export const connectRedis = ({ url, log, metrics }: RedisOptions): RedisConnection => {
  const failures = new Counter({
    name: 'redis_failures_total',
    help: 'Commands to Redis that failed, or were spared because one has failed a moment ago.',
    registers: [metrics],
  });
  const episodes = createEpisodes('redis', { log, count: () => failures.inc() });
  const client = new Redis(url, {
    commandTimeout: COMMAND_MS,
    connectTimeout: CONNECT_MS,
    socketTimeout: SOCKET_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, MAX_RECONNECT_MS),
  });
  client.on('error', episodes.failed);
  return {
    client,
    episodes,
    [Symbol.asyncDispose]: async () => client.disconnect(),
  };
};

/** Runs commands; `undefined` when they fail, which is logged once for each time that Redis is away. */
export const ask = async <Result>(
  { client, episodes }: RedisConnection,
  commands: (client: Redis) => Promise<Result>,
): Promise<Result | undefined> => {
  try {
    return await episodes.run(() => commands(client));
  } catch {}
};
