import { createDatabase } from '#database/pool.ts';
import { readOrExit } from '#runtime/config.ts';
import { createEncryption } from '#runtime/encryption.ts';
import { listen } from '#runtime/http-server.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { readIssuerConfig } from './config.ts';
import { keepPublished } from './connectors/published.ts';
import { createConnectors } from './connectors/registry.ts';
import { loadTls } from './http/tls.ts';
import { createIssuer } from './issuer.ts';
import { toRotationPolicy } from './keys/rotation.ts';
import { startSigningKeys } from './keys/signing-keys.ts';
import { createLimits } from './limits/limits.ts';
import { createPostgresLimitStore, createRedisLimitStore } from './limits/store.ts';
import { loadWebClients } from './protocol/web-clients.ts';
import { startDenials } from './revocation/denials.ts';
import { createCache } from './storage/cache.ts';
import { startPurge } from './storage/purge.ts';
import { connectRedis } from './storage/redis.ts';

// Browsers and kubectl wait no longer for a page or a token than people do.
const DATABASE_PATIENCE_MS = 8_000;

const config = readOrExit(readIssuerConfig);
const log = createLogger('issuer', config.LOG_LEVEL);

await runService(log, async (stack, readiness) => {
  const database = await createDatabase({
    connectionString: config.DATABASE_URL,
    patienceMs: DATABASE_PATIENCE_MS,
  });
  stack.defer(() => database.end());
  const metrics = createMetrics('issuer');
  const encryption = createEncryption(config.ENCRYPTION_KEY);
  const redis = config.REDIS_URL
    ? stack.use(connectRedis({ url: config.REDIS_URL, log, metrics }))
    : undefined;
  const limitStore = redis
    ? createRedisLimitStore(redis)
    : stack.use(createPostgresLimitStore(config.DATABASE_URL, { log }));
  const signingKeys = stack.use(
    await startSigningKeys({
      database,
      encryption,
      log,
      metrics,
      policy: toRotationPolicy(config.SIGNING_KEY_DAYS),
    }),
  );
  const denials = config.AUTHORIZATION_KEY && stack.use(startDenials({ database, log, metrics }));
  const connectors = await createConnectors(config.CONNECTORS, config.ISSUER_URL);
  const handler = await createIssuer({
    issuerUrl: config.ISSUER_URL,
    apiAudience: config.API_AUDIENCE,
    database,
    encryption,
    signingKeys,
    cache: redis && createCache({ redis, encryption, metrics }),
    limits: createLimits({ store: limitStore, key: encryption.deriveKey('limits'), metrics }),
    probeKey: config.RBAC_SYNC_PUBLIC_KEY,
    federation: { allowedCidrs: config.FEDERATION_ALLOWED_CIDRS },
    webClients: await loadWebClients(config.CLIENTS),
    connectors,
    ages: {
      refreshSeconds: config.UPSTREAM_REFRESH_SECONDS,
      maxAgeSeconds: config.UPSTREAM_MAX_AGE_SECONDS,
    },
    log,
    metrics,
    readiness,
    denials,
    authorizationKey: config.AUTHORIZATION_KEY,
    branding: config.BRANDING,
    trustedProxies: config.TRUSTED_PROXIES,
  });
  stack.use(startPurge(database, log));
  stack.use(keepPublished(database, connectors, log));
  const tls = await loadTls(config);
  const server = stack.use(await listen(handler, { host: config.HOST, port: config.PORT, tls }));
  log.info({ port: server.port, issuer: config.ISSUER_URL }, 'listening');
});
