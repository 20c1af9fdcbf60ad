import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitPem } from '#runtime/certificates.ts';
import { hashPassword } from '../../../issuer/connectors/local.ts';
import { findFreePort } from '../../../quickstart/embedded-postgres.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { TEST_API_AUDIENCE, TEST_PASSWORD } from '../../support/issuer.ts';
import { refresh, signInWithCode } from '../../support/oidc-client.ts';

const MAIN = fileURLToPath(new URL('../../../issuer/main.ts', import.meta.url));
const DEADLINE_MS = 30_000;

let database: TestDatabase;
let directory: string;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'issuer-'));
  const port = await findFreePort();
  environment = {
    DATABASE_URL: database.urlFor('hexabase_issuer'),
    NODE_ENV: 'development',
    PORT: `${port}`,
    HOST: 'localhost',
    ISSUER_URL: `https://localhost:${port}`,
    API_AUDIENCE: TEST_API_AUDIENCE,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    TLS_DIRECTORY: join(directory, 'tls'),
    CONNECTORS: JSON.stringify([
      {
        type: 'local',
        id: 'local',
        name: 'Local accounts',
        accounts: [
          {
            subject: 'alice',
            username: 'alice',
            password_hash: await hashPassword(TEST_PASSWORD, { N: 1024, r: 8, p: 1 }),
          },
        ],
      },
    ]),
  };
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const start = (change: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [MAIN], { env: { ...environment, ...change } });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output.text += String(chunk);
    });
  }
  return { child, output };
};

const untilReady = async (child: ChildProcess, output: { text: string }): Promise<void> => {
  const deadline = Date.now() + DEADLINE_MS;
  while (!output.text.includes('"msg":"ready"')) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(output.text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const stop = async (child: ChildProcess): Promise<number | null> => {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await exited;
  return code as number | null;
};

describe('issuer/main.ts', () => {
  it('serves, stops cleanly, and goes on with its state after a restart', async () => {
    const first = start();
    await untilReady(first.child, first.output);
    const options = {
      issuerUrl: environment['ISSUER_URL'] ?? '',
      ca: splitPem(await readFile(join(directory, 'tls', 'ca.pem'), 'utf8')).certificate,
      clientId: 'hexabase-cli',
    };
    const tokens = await signInWithCode({
      ...options,
      username: 'alice',
      password: TEST_PASSWORD,
      extraParams: { scope: 'openid api' },
    });
    expect(await stop(first.child)).toBe(0);

    // A Redis that can't be reached is none.
    const second = start({ REDIS_URL: `redis://127.0.0.1:${await findFreePort()}` });
    await untilReady(second.child, second.output);
    const renewed = await refresh({ ...options, refreshToken: tokens.refresh_token });
    expect(renewed.claims['sub']).toBe(tokens.claims['sub']);
    expect(await stop(second.child)).toBe(0);
    expect(second.output.text.match(/a store is away/g)).toHaveLength(1);

    const log = first.output.text + second.output.text;
    for (const { id_token, refresh_token, access_token } of [tokens, renewed]) {
      for (const secret of [id_token, refresh_token, access_token, TEST_PASSWORD]) {
        expect(log).not.toContain(secret);
      }
    }
    expect(log).not.toMatch(/WARNING|NOTICE/);
  });

  it('doesn’t start as the owner of the schema', async () => {
    const { child, output } = start({ DATABASE_URL: database.ownerUrl });
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(output.text).toContain('passes over row-level security');
  });

  it('doesn’t start in production with local accounts', async () => {
    const { child, output } = start({ NODE_ENV: 'production' });
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(output.text).toContain('ALLOW_LOCAL_ACCOUNTS');
  });
});
