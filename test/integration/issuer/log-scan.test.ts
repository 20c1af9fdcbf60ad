import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hashPassword } from '../../../issuer/connectors/local.ts';
import { findFreePort } from '../../../quickstart/embedded-postgres.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { TEST_API_AUDIENCE, TEST_PASSWORD } from '../../support/issuer.ts';
import { createProbeKeys, type ProbeKeys } from '../../support/probe-client.ts';
import { startRedis } from '../../support/redis.ts';
import { findSecrets } from '../../support/secret-scan/find-secrets.ts';
import { type Recorder, startRecorder } from '../../support/secret-scan/recorder.ts';
import {
  CLIENT_SECRET,
  CONSOLE_CALLBACK,
  playStories,
  TYPED_INTO_THE_WRONG_FIELD,
  WRONG_PASSWORD,
} from '../../support/secret-scan/stories.ts';
import { type ServiceProcess, startService } from '../../support/service-process.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let recorder: Recorder;
let provider: HostileProvider;
let workspace: TestWorkspace;
let issuer: ServiceProcess;
let api: ServiceProcess;
let apiUrl: string;
/** Everything that is sent to Redis. */
const toRedis: string[] = [];
let issuerTarget = '';
let redisUrl: string;
let probeKeys: ProbeKeys;
let settings: { encryptionKey: string; cursorKey: string };

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'log-scan-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  database = stack.use(await createTestDatabase());
  provider = stack.use(await startHostileProvider());
  recorder = stack.use(await startRecorder(() => issuerTarget));
  provider.registerCallback(`${recorder.url}/connectors/corp/callback`);
  probeKeys = await createProbeKeys();
  redisUrl = await watchRedis();
  workspace = await createWorkspace(database);
  await workspace.addMember(await createPerson(database, 'alice'), await workspace.addGroup('ops'));
  await startServices(directory);
});
afterAll(() => stack.disposeAsync());

const watchRedis = async (): Promise<string> => {
  const server = stack.use(await startRedis());
  const redis = new Redis(server.url);
  stack.defer(() => redis.disconnect());
  const monitor = await redis.monitor();
  stack.defer(() => monitor.disconnect());
  monitor.on('monitor', (_time: string, parts: readonly string[]) => toRedis.push(parts.join(' ')));
  return server.url;
};

const startServices = async (directory: string): Promise<void> => {
  const paths = { providerCa: 'provider.pem', secret: 'secret', recorderCa: 'recorder.pem' };
  for (const [name, content] of [
    [paths.providerCa, provider.ca],
    [paths.secret, provider.clientSecret],
    [paths.recorderCa, recorder.ca],
  ] as const) {
    await writeFile(join(directory, name), content);
  }
  settings = {
    encryptionKey: randomBytes(32).toString('base64'),
    cursorKey: randomBytes(32).toString('base64'),
  };
  const [issuerPort, apiPort] = [await findFreePort(), await findFreePort()];
  issuerTarget = `https://localhost:${issuerPort}`;
  apiUrl = `http://127.0.0.1:${apiPort}`;
  const common = { LOG_LEVEL: 'trace', NODE_ENV: 'development', API_AUDIENCE: TEST_API_AUDIENCE };
  issuer = stack.use(
    await startService('issuer', {
      ...common,
      ...{ HOST: 'localhost', PORT: `${issuerPort}`, ISSUER_URL: recorder.url },
      DATABASE_URL: database.urlFor('hexabase_issuer'),
      ENCRYPTION_KEY: settings.encryptionKey,
      REDIS_URL: redisUrl,
      TLS_DIRECTORY: join(directory, 'tls'),
      RBAC_SYNC_PUBLIC_KEY: JSON.stringify(probeKeys.publicKey),
      CLIENTS: JSON.stringify([
        {
          ...{ client_id: 'console', client_name: 'Console', redirect_uris: [CONSOLE_CALLBACK] },
          token_endpoint_auth_method: 'client_secret_basic',
          client_secret_sha256: createHash('sha256').update(CLIENT_SECRET).digest('hex'),
        },
      ]),
      CONNECTORS: JSON.stringify([
        {
          ...{ type: 'local', id: 'local', name: 'Local' },
          accounts: [
            {
              ...{ subject: 'alice', username: 'alice' },
              password_hash: await hashPassword(TEST_PASSWORD, { N: 1024, r: 8, p: 1 }),
            },
          ],
        },
        {
          ...{ type: 'oidc', id: 'corp', name: 'Corp', issuer: provider.url },
          client_id: provider.clientId,
          client_secret_path: join(directory, paths.secret),
          certificate_authority_path: join(directory, paths.providerCa),
        },
      ]),
    }),
  );
  api = stack.use(
    await startService('tenancy-api', {
      ...common,
      ...{ HOST: '127.0.0.1', PORT: `${apiPort}`, ISSUER_URL: recorder.url },
      DATABASE_URL: database.urlFor('hexabase_tenancy_api'),
      CURSOR_KEY: settings.cursorKey,
      ISSUER_CERTIFICATE_AUTHORITY_PATH: join(directory, paths.recorderCa),
    }),
  );
};

const readMetrics = async (url: string): Promise<string> => {
  const agent = new Agent({ connect: { ca: recorder.ca } });
  const response = await fetch(`${url}/metrics`, { dispatcher: agent });
  const text = await response.text();
  await agent.close();
  return text;
};

/** Every row of every table; what is stored as bytes is read as text besides. */
const dumpTables = async (): Promise<string> => {
  const tables = await database.query<{ name: string }>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const dumps: string[] = [];
  for (const { name } of tables) {
    const rows = await database.query<{ row: string }>(
      `SELECT to_jsonb(t)::text AS row FROM ${name} t`,
    );
    dumps.push(name, ...rows.map(({ row }) => row));
  }
  const text = dumps.join('\n');
  const bytes = [...text.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex').toString('latin1'),
  );
  return [text, ...bytes].join('\n');
};

describe('what everything writes while people sign in', () => {
  it('holds no secret that went over the wire', async () => {
    await playStories({ recorder, apiUrl, provider, workspace, probeKeys });
    const metrics = (await readMetrics(recorder.url)) + (await readMetrics(apiUrl));
    expect(metrics).toContain('oidc_grants_total');
    const tables = await dumpTables();
    expect(await issuer.stop()).toBe(0);
    expect(await api.stop()).toBe(0);
    const logs = `${issuer.output()}\n${api.output()}`;

    const given = [TEST_PASSWORD, WRONG_PASSWORD, CLIENT_SECRET];
    const own = [
      TYPED_INTO_THE_WRONG_FIELD,
      settings.encryptionKey,
      settings.cursorKey,
      inject('servicePassword'),
    ];
    const secrets = new Set([...recorder.secrets, ...provider.secrets, ...given, ...own]);
    expect(recorder.count()).toBeGreaterThan(100);
    expect(secrets.size).toBeGreaterThan(100);
    for (const secret of given) expect(recorder.secrets).toContain(secret);
    expect(logs.split('\n').length).toBeGreaterThan(100);
    expect(logs).toContain('"status":401');
    expect(tables).toContain('organization.create');

    expect(findSecrets(logs, secrets)).toEqual([]);
    expect(findSecrets(metrics, secrets)).toEqual([]);
    expect(findSecrets(tables, secrets)).toEqual([]);
    expect(toRedis.length).toBeGreaterThan(100);
    expect(findSecrets(toRedis.join('\n'), secrets)).toEqual([]);
    const [planted = ''] = recorder.secrets;
    expect(findSecrets(`${logs}\n${planted}`, secrets)).toEqual([planted]);
  });
});
