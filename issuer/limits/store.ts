/** Where rate limits are counted: Redis, or PostgreSQL when there is none. */
import pg from 'pg';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
} from 'rate-limiter-flexible';
import { createEpisodes, type EpisodeOptions, type Episodes } from '../storage/episodes.ts';
import type { RedisConnection } from '../storage/redis.ts';
import type { Rule } from './rules.ts';

/**
 * Makes the counter of a limit. Without an answer from the store a counter in this process takes its place:
 * nobody is refused because of a fault, and a flood still is.
 */
export type LimitStore = (name: string, rule: Rule) => RateLimiterAbstract;

// Counting may not make anyone wait: a sign-in takes three counts.
const PATIENCE_MS = 300;
const CONNECTIONS = 4;

/** Counts in Redis; its faults are logged by the connection. */
export const createRedisLimitStore = ({ client, episodes }: RedisConnection): LimitStore => {
  // The one script that counting is made of, asked as everything is asked of Redis.
  const storeClient = {
    defineCommand: (name: string, definition: { lua: string; numberOfKeys?: number }) =>
      client.defineCommand(name, definition),
    rlflxIncr: (parameters: readonly string[]) =>
      episodes.run(() => (client as unknown as Script).rlflxIncr(parameters)),
  };
  return (name, rule) =>
    new RateLimiterRedis({
      storeClient,
      keyPrefix: `hexabase:limit:${name}`,
      ...insured(rule),
    });
};

type Script = { readonly rlflxIncr: (parameters: readonly string[]) => Promise<unknown> };

/** Counts in the table `rate_limit`, over connections of its own: a full pool doesn't stop the counting. */
export const createPostgresLimitStore = (
  connectionString: string,
  options: EpisodeOptions,
): LimitStore & AsyncDisposable => {
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS,
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
  });
  const episodes = createEpisodes('rate limits', options);
  pool.on('error', episodes.failed);
  const storeClient = { query: (query: pg.QueryConfig) => run(pool, episodes, query) };
  const store: LimitStore = (name, rule) =>
    new RateLimiterPostgres({
      storeClient,
      storeType: 'pool',
      tableName: 'rate_limit',
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix: name,
      ...insured(rule),
    });
  return Object.assign(store, { [Symbol.asyncDispose]: () => pool.end() });
};

const run = (pool: pg.Pool, episodes: Episodes, query: pg.QueryConfig) =>
  episodes.run(() => pool.query(query));

/** Counts in this process alone. */
export const createMemoryLimitStore = (): LimitStore => (name, rule) =>
  new RateLimiterMemory({ keyPrefix: name, points: rule.points, duration: rule.seconds });

const insured = ({ points, seconds }: Rule) => ({
  points,
  duration: seconds,
  insuranceLimiter: new RateLimiterMemory({ points, duration: seconds }),
});
