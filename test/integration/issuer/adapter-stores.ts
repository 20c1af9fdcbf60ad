/** What the adapter's conformance suite runs on: PostgreSQL alone, and with Redis before it. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { Registry } from 'prom-client';
import { createEncryption } from '#runtime/encryption.ts';
import { createLogger } from '#runtime/log.ts';
import { createAdapterFactory } from '../../../issuer/storage/adapter.ts';
import { createCache } from '../../../issuer/storage/cache.ts';
import { createCachingAdapterFactory } from '../../../issuer/storage/caching-adapter.ts';
import { connectRedis, type RedisConnection } from '../../../issuer/storage/redis.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

/** Makes the adapter of a model. */
export type Adapters = (model: string) => Adapter;

/** Two replicas of the issuer's storage on the same servers. */
export type Stores = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly redis: RedisServer | undefined;
  readonly adapters: Adapters;
  readonly replica: Adapters;
  /** PostgreSQL's, with nothing before it. */
  readonly truth: Adapters;
  /** Of `adapters` and `replica`. */
  readonly connections: readonly RedisConnection[];
};

/** The kinds of storage. */
export const STORES = ['PostgreSQL', 'PostgreSQL and Redis'] as const;

const encryption = createEncryption([randomBytes(32)]);

/** Starts a kind of storage. */
export const openStores = async (kind: (typeof STORES)[number]): Promise<Stores> => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const redis = kind === 'PostgreSQL' ? undefined : stack.use(await startRedis());
  const connections: RedisConnection[] = [];
  const createPostgresAdapters = async () =>
    createAdapterFactory({
      database: await database.connectAs('hexabase_issuer'),
      encryption,
    }) as Adapters;
  const create = async () => {
    const adapters = await createPostgresAdapters();
    if (!redis) return adapters;
    const metrics = new Registry();
    const log = createLogger('test', 'silent');
    const connection = stack.use(connectRedis({ url: redis.url, log, metrics }));
    connections.push(connection);
    await once(connection.client, 'ready');
    const cache = createCache({ redis: connection, encryption, metrics });
    return createCachingAdapterFactory(adapters, cache) as Adapters;
  };
  const [adapters, replica] = [await create(), await create()];
  const truth = await createPostgresAdapters();
  const resources = stack.move();
  return {
    database,
    redis,
    adapters,
    replica,
    truth,
    connections,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** A random identifier, as oidc-provider's are. */
export const createIdentifier = (): string => randomBytes(32).toString('base64url');

/** A stored payload, which has an id. */
type Payload = AdapterPayload & { readonly jti: string };

/** A payload that ends in `ttl` seconds; of a session with its own uid. */
export const createPayload = (
  model: string,
  ttl: number,
  more: Partial<AdapterPayload> = {},
): Payload => ({
  kind: model,
  exp: Math.floor(Date.now() / 1_000) + ttl,
  ...(model === 'Session' && { uid: createIdentifier() }),
  ...more,
  jti: more.jti ?? createIdentifier(),
});
