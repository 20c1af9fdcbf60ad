/** The issuer in this process, over real HTTPS, for tests. */
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { JWK } from 'jose';
import type { Registry } from 'prom-client';
import type { DatabasePool } from 'slonik';
import type * as z from 'zod';
import { type CertificateAuthority, createCertificateAuthority } from '#runtime/certificates.ts';
import { createEncryption, type EncryptionKeys } from '#runtime/encryption.ts';
import { listen } from '#runtime/http-server.ts';
import { createLogger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ConnectorSettings } from '../../issuer/connectors/config.ts';
import { createLocalConnector, hashPassword } from '../../issuer/connectors/local.ts';
import { createConnectors } from '../../issuer/connectors/registry.ts';
import { createIssuer, type IssuerDeps } from '../../issuer/issuer.ts';
import type { RotationPolicy } from '../../issuer/keys/rotation.ts';
import { startSigningKeys } from '../../issuer/keys/signing-keys.ts';
import { createLimits } from '../../issuer/limits/limits.ts';
import { RULES, type Rules } from '../../issuer/limits/rules.ts';
import {
  createMemoryLimitStore,
  createRedisLimitStore,
  type LimitStore,
} from '../../issuer/limits/store.ts';
import type { Turns } from '../../issuer/limits/turns.ts';
import { loadWebClients, WebClientConfigs } from '../../issuer/protocol/web-clients.ts';
import { startDenials } from '../../issuer/revocation/denials.ts';
import { createCache } from '../../issuer/storage/cache.ts';
import { connectRedis } from '../../issuer/storage/redis.ts';
import { BrandingConfig } from '../../issuer/views/branding/config.ts';
import type { TestDatabase } from './database.ts';

/** Someone who can sign in; the connector is `local` and the subject the username. */
export type TestAccount = {
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
};

/** A running issuer. */
export type TestIssuer = AsyncDisposable & {
  readonly issuerUrl: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  readonly apiAudience: string;
  /** The issuer's own pool. */
  readonly database: DatabasePool;
};

/** What may differ from the usual. */
export type TestIssuerOptions = {
  readonly probeKey?: JWK;
  /** How issuers of workloads are asked for keys; by default as in production. */
  readonly federation?: NonNullable<IssuerDeps['federation']>;
  readonly clients?: z.input<typeof WebClientConfigs>;
  /** The rate limits; by default none is ever met. */
  readonly rules?: Rules;
  /** Of password hashing; by default as in production. */
  readonly passwordTurns?: Turns;
  /** Where they are counted; by default in memory. */
  readonly limitStore?: LimitStore;
  readonly trustedProxies?: readonly string[];
  /** The issuer's own pool; by default one that is closed with the database. */
  readonly pool?: DatabasePool;
  /** 32 bytes, for replicas; by default random ones. */
  readonly encryptionKey?: Buffer;
  /** A ring of them instead. */
  readonly encryptionKeys?: EncryptionKeys;
  readonly metrics?: Registry;
  readonly branding?: z.input<typeof BrandingConfig>;
  /** Connectors beside the local accounts; without any accounts the only ones. */
  readonly connectors?: readonly z.input<typeof ConnectorSettings>[];
  /** By default `localhost`: cookies don't tell ports apart, so that a second issuer needs another. */
  readonly host?: string;
  /** By default a free one. */
  readonly port?: number;
  /** What signs its certificate, for one that is started again; by default a new one. */
  readonly authority?: CertificateAuthority;
  /** Collects all lines of the log, those for debugging too. */
  readonly logLines?: string[];
  /** How long signing keys stay in their states; by default as in production. */
  readonly policy?: RotationPolicy;
  /** Replicas that take the requests in turn, in one process; by default 1. */
  readonly replicas?: number;
  /** 32 bytes of which clusters' tokens are made; without it no cluster is answered. */
  readonly authorizationKey?: Buffer;
  /** Redis, for the limits and the cache; by default there is none. */
  readonly redisUrl?: string;
};

/** Everyone's password. */
export const TEST_PASSWORD = 'correct horse battery staple';

/** The audience of API access tokens. */
export const TEST_API_AUDIENCE = 'https://api.hexabase.test/';

// Real hashes at a cost at which 64 sign-ins at once take no time.
const CHEAP = { N: 1024, r: 8, p: 1 };

// Everything in a test file comes from one address within a minute.
const UNLIMITED = Object.fromEntries(
  Object.entries(RULES).map(([name, { seconds }]) => [name, { points: 1_000_000, seconds }]),
) as Rules;

/** Starts the issuer on a free port. */
export const startTestIssuer = async (
  database: Pick<TestDatabase, 'connectAs'>,
  accounts: readonly TestAccount[],
  options: TestIssuerOptions = {},
): Promise<TestIssuer> => {
  const { host = 'localhost', port = 0 } = options;
  await using stack = new AsyncDisposableStack();
  const authority = options.authority ?? (await createCertificateAuthority(`test ${host}`));
  const tls = await authority.sign({ commonName: 'issuer', hosts: [host], days: 1 });
  // The issuer must know its port before it exists.
  let handler: RequestListener | undefined;
  const server = stack.use(
    await listen((request, response) => handler?.(request, response), { host, port, tls }),
  );
  const pool = options.pool ?? (await database.connectAs('hexabase_issuer'));
  const shared = {
    issuerUrl: `https://${host}:${server.port}`,
    database: pool,
    encryption: createEncryption(
      options.encryptionKeys ?? [options.encryptionKey ?? randomBytes(32)],
    ),
    log: createTestLogger(options.logLines),
    accounts,
  };
  const replicas: RequestListener[] = [];
  for (let each = 0; each < (options.replicas ?? 1); each += 1) {
    replicas.push(await createReplica(options, shared, stack));
  }
  let turn = 0;
  handler = (request, response) => {
    turn += 1;
    replicas[turn % replicas.length]?.(request, response);
  };
  const resources = stack.move();
  return {
    issuerUrl: shared.issuerUrl,
    ca: authority.certificate,
    apiAudience: TEST_API_AUDIENCE,
    database: pool,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

type Shared = Pick<IssuerDeps, 'issuerUrl' | 'database' | 'encryption' | 'log'> & {
  readonly accounts: readonly TestAccount[];
};

const createReplica = async (
  options: TestIssuerOptions,
  { accounts, ...shared }: Shared,
  stack: AsyncDisposableStack,
): Promise<RequestListener> => {
  const { issuerUrl, encryption, log } = shared;
  // Names of metrics are taken once in a registry.
  const metrics =
    (options.replicas ?? 1) > 1
      ? createMetrics('issuer')
      : (options.metrics ?? createMetrics('issuer'));
  const redis = options.redisUrl
    ? stack.use(connectRedis({ url: options.redisUrl, log, metrics }))
    : undefined;
  const signingKeys = stack.use(
    await startSigningKeys({ ...shared, metrics, policy: options.policy }),
  );
  return createIssuer({
    ...shared,
    signingKeys,
    apiAudience: TEST_API_AUDIENCE,
    cache: redis && createCache({ redis, encryption, metrics }),
    limits: createLimits({
      store:
        options.limitStore ?? (redis ? createRedisLimitStore(redis) : createMemoryLimitStore()),
      key: encryption.deriveKey('limits'),
      metrics,
      rules: options.rules ?? UNLIMITED,
    }),
    trustedProxies: options.trustedProxies,
    probeKey: options.probeKey,
    federation: options.federation,
    webClients: await loadWebClients(WebClientConfigs.parse(options.clients ?? [])),
    connectors: [
      ...(accounts.length > 0 ? [await createConnector(accounts, options.passwordTurns)] : []),
      ...(await createConnectors(
        (options.connectors ?? []).map((each) => ConnectorSettings.parse(each)),
        issuerUrl,
      )),
    ],
    metrics,
    readiness: { ready: true },
    authorizationKey: options.authorizationKey,
    denials: options.authorizationKey && stack.use(startDenials({ ...shared, metrics })),
    branding: BrandingConfig.parse(options.branding ?? {}),
  });
};

const createTestLogger = (lines: string[] | undefined) =>
  lines
    ? createLogger('issuer', 'trace', { write: (line) => void lines.push(line) })
    : createLogger('issuer', process.env['TEST_LOG_LEVEL'] ?? 'silent');

const createConnector = async (accounts: readonly TestAccount[], turns: Turns | undefined) => {
  const password_hash = await hashPassword(TEST_PASSWORD, CHEAP);
  return createLocalConnector(
    {
      type: 'local',
      id: 'local',
      name: 'Test accounts',
      accounts: accounts.map((account) => ({
        ...account,
        subject: account.username,
        password_hash,
      })),
    },
    turns,
  );
};
