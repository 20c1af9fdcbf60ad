/** The operators' commands for signing keys. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEncryption } from '#runtime/encryption.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { startSigningKeys } from '../../../issuer/keys/signing-keys.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { testLog } from '../../support/kube.ts';

let database: TestDatabase;
const encryptionKey = randomBytes(32);

beforeAll(async () => {
  database = await createTestDatabase();
  await using _keys = await startSigningKeys({
    database: await database.connectAs('hexabase_issuer'),
    encryption: createEncryption(encryptionKey),
    log: testLog,
    metrics: createMetrics('issuer'),
  });
});
afterAll(() => database[Symbol.asyncDispose]());

const run = async (command: string, ...args: string[]) => {
  const path = fileURLToPath(new URL(`../../../issuer/${command}.ts`, import.meta.url));
  const env = {
    DATABASE_URL: database.urlFor('hexabase_issuer'),
    ENCRYPTION_KEY: encryptionKey.toString('base64'),
  };
  return promisify(execFile)(process.execPath, [path, ...args], { env }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }: { stdout: string; code: number }) => ({ stdout, code }),
  );
};

const listKids = async (state: string): Promise<string[]> =>
  (
    await database.query<{ kid: string }>(
      'SELECT kid FROM signing_key WHERE state = $1 ORDER BY algorithm',
      [state],
    )
  ).map(({ kid }) => kid);

it('rotate-keys waits until the next keys are known everywhere, and lets them sign', async () => {
  const [current, next] = [await listKids('current'), await listKids('next')];
  // Of one algorithm fifteen seconds are missing.
  await database.query(
    `UPDATE signing_key SET state_since = now() - make_interval(secs => CASE algorithm WHEN 'ES256' THEN 120 ELSE 500 END)
     WHERE state = 'next'`,
  );
  const { stdout, code } = await run('rotate-keys');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /RS256 signs.*\n.*ES256 is known everywhere in \d+ second.*\n.*ES256 signs/,
    ),
  });
  expect(await listKids('current')).toEqual(next);
  expect(await listKids('retired')).toEqual(current);
  expect(await listKids('next')).toHaveLength(2);
});

it('revoke-key lists the keys, and refuses what is none', async () => {
  const [kid] = await listKids('retired');
  const list = await run('revoke-key');
  expect(list).toMatchObject({ code: 0, stdout: expect.stringContaining(`retired  ES256 ${kid}`) });
  expect(list.stdout).not.toContain('"d"');
  expect(await run('revoke-key', 'nothing')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('There is no key nothing.'),
  });
  expect(await run('revoke-key', kid ?? '')).toMatchObject({ code: 0 });
  expect(await listKids('revoked')).toEqual([kid]);
  const events = await database.query('SELECT action, after FROM audit_event');
  expect(events).toEqual([{ action: 'signing-key.revoke', after: { kid, state: 'revoked' } }]);
});
