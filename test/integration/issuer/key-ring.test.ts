/** The ring of ENCRYPTION_KEY is turned under a running issuer: nothing is lost on the way, and the old key can go. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEncryption, type EncryptionKeys } from '#runtime/encryption.ts';
import { reseal } from '../../../issuer/keys/reseal.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { refresh, signInWithCode } from '../../support/oidc-client.ts';

const COMMAND = fileURLToPath(new URL('../../../issuer/reseal.ts', import.meta.url));
const [OLD, NEW] = [randomBytes(32), randomBytes(32)];

let stack: AsyncDisposableStack;
let database: TestDatabase;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
});
afterAll(() => stack.disposeAsync());

const start = async (...keys: [Buffer, ...Buffer[]]) =>
  stack.use(
    await startTestIssuer(database, [{ username: 'alice' }], {
      encryptionKeys: keys as unknown as EncryptionKeys,
    }),
  );
const at = ({ issuerUrl, ca }: TestIssuer) => ({ issuerUrl, ca, clientId: 'hexabase-cli' });
const signIn = (issuer: TestIssuer) =>
  signInWithCode({
    ...at(issuer),
    username: 'alice',
    password: TEST_PASSWORD,
    extraParams: { scope: 'openid api' },
  });
const renew = async (issuer: TestIssuer, refreshToken: string): Promise<string> =>
  (await refresh({ ...at(issuer), refreshToken })).refresh_token;
const runReseal = async (...keys: Buffer[]) => {
  const env = {
    DATABASE_URL: database.urlFor('hexabase_issuer'),
    ENCRYPTION_KEY: keys.map((key) => key.toString('base64')).join(','),
  };
  return promisify(execFile)(process.execPath, [COMMAND], { env }).catch(
    (error: { stdout: string; code: number }) => error,
  );
};

describe('a ring that is turned', () => {
  it('loses no refresh, keeps one successor for each token, and lets the old key go', async () => {
    const before = await start(OLD);
    const { refresh_token: token } = await signIn(before);

    // Replicas are restarted one after the other, with the new key behind and then before the old one.
    const [behind, ahead] = [await start(OLD, NEW), await start(NEW, OLD)];
    const [one, other] = await Promise.all([renew(behind, token), renew(ahead, token)]);
    expect(one).toBe(other);
    expect(await renew(before, token)).toBe(one);
    const later = await signIn(ahead);
    expect(await renew(behind, later.refresh_token)).toBe(await renew(ahead, later.refresh_token));

    const { stdout } = await runReseal(NEW, OLD);
    expect(stdout).toContain('the others can be taken out');
    expect(await runReseal(NEW)).toMatchObject({
      stdout: expect.stringContaining('Sealed anew: 0.'),
    });

    const after = await start(NEW);
    const next = await renew(after, one);
    // Also what comes again within the time of grace, whose successor came of the key that is gone.
    await renew(after, token);
    expect(await renew(after, next)).not.toBe(next);
    expect(await renew(after, await renew(after, later.refresh_token))).toMatch(/./);
  });

  it('is sealed anew in batches, beside damaged rows, which are told', async () => {
    const issuer = await start(NEW);
    await Promise.all([signIn(issuer), signIn(issuer), signIn(issuer)]);
    const [next] = [randomBytes(32)];
    await database.query(
      "UPDATE oidc_grant SET sealed_payload = '\\x02deadbeef' WHERE id_hash IN (SELECT id_hash FROM oidc_grant LIMIT 1)",
    );
    const encryption = createEncryption([next, NEW]);
    const pool = await database.connectAs('hexabase_issuer');
    const done = await reseal({ database: pool, encryption, batch: 2 });
    expect(done.unopened).toBe(1);
    expect(done.resealed).toBeGreaterThan(8);
    for (const [table, column] of [
      ['signing_key', 'sealed_jwk'],
      ['oidc_grant', 'sealed_payload'],
      ['oidc_artifact', 'sealed_payload'],
    ]) {
      const left = await database.query(
        `SELECT FROM ${table} WHERE ${column} <> '' AND ${column} <> '\\x02deadbeef'
           AND substring(${column} FROM 1 FOR 5) <> $1`,
        [encryption.prefix],
      );
      expect(left).toHaveLength(0);
    }
    const { stdout, code } = (await runReseal(next, NEW)) as { stdout: string; code?: number };
    expect(stdout).toContain('No key opens 1 more');
    expect(code).toBe(1);
  });
});
