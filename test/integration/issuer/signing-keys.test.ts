/** The keys in the database: how they are made, kept and changed, by several replicas at once. */
import { randomBytes } from 'node:crypto';
import { type DatabasePool, sql } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createEncryption } from '#runtime/encryption.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { revokeKey, rotateWhenDue } from '../../../issuer/keys/change-keys.ts';
import { toRotationPolicy } from '../../../issuer/keys/rotation.ts';
import { startSigningKeys } from '../../../issuer/keys/signing-keys.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { testLog } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';

let database: TestDatabase;
let pool: DatabasePool;
const encryption = createEncryption([randomBytes(32)]);
const policy = toRotationPolicy(30);

beforeAll(async () => {
  database = await createTestDatabase();
  pool = await database.connectAs('hexabase_issuer');
});
beforeEach(() => database.query('DELETE FROM signing_key'));
afterAll(() => database[Symbol.asyncDispose]());

const start = (metrics = createMetrics('issuer')) =>
  startSigningKeys({ database: pool, encryption, log: testLog, metrics });
const rotate = () => rotateWhenDue({ database: pool, encryption }, policy);
const revoke = (kid: string) => revokeKey({ database: pool, encryption }, kid);
const kidOf = (rows: Awaited<ReturnType<typeof rotate>>, state: string, algorithm = 'ES256') =>
  rows.find((row) => row.state === state && row.algorithm === algorithm)?.kid ?? 'none';
/** Time passes. */
const age = (days: number, state: string) =>
  database.query(
    'UPDATE signing_key SET state_since = state_since - make_interval(days => $1) WHERE state = $2',
    [days, state],
  );

describe('the keys of the issuer', () => {
  it('are one set, however many replicas start at once', async () => {
    const replicas = await Promise.all(Array.from({ length: 8 }, () => start()));
    const [first] = replicas.map((replica) => replica.current());
    for (const replica of replicas) expect(replica.current()).toEqual(first);
    expect(first?.keys.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'ES256', 'RS256']);
    expect(await database.query('SELECT FROM signing_key')).toHaveLength(4);
    for (const replica of replicas) await replica[Symbol.asyncDispose]();
  });

  it('are kept sealed', async () => {
    await using keys = await start();
    const rows = await database.query<{ sealed_jwk: Buffer }>('SELECT sealed_jwk FROM signing_key');
    const secrets = keys.current().keys.map(({ d }) => d as string);
    for (const { sealed_jwk } of rows) {
      for (const secret of secrets) expect(sealed_jwk.toString('latin1')).not.toContain(secret);
      expect(sealed_jwk.toString('latin1')).not.toContain('kty');
    }
    const other = createEncryption([randomBytes(32)]);
    const options = { database: pool, encryption: other, log: testLog };
    await expect(startSigningKeys({ ...options, metrics: createMetrics('x') })).rejects.toThrow();
  });

  it('change over once, however many replicas find that it is due', async () => {
    const before = await rotate();
    await age(30, 'current');
    await age(1, 'next');
    const [after = []] = await Promise.all(Array.from({ length: 6 }, rotate));
    for (const algorithm of ['ES256', 'RS256']) {
      expect(kidOf(after, 'current', algorithm)).toBe(kidOf(before, 'next', algorithm));
      expect(kidOf(after, 'retired', algorithm)).toBe(kidOf(before, 'current', algorithm));
    }
    expect(after).toHaveLength(6);
    await age(1, 'retired');
    expect(await rotate()).toHaveLength(4);
  });

  it('do not change over to a key that nobody can know yet', async () => {
    const before = await rotate();
    await age(30, 'current');
    expect(kidOf(await rotate(), 'current')).toBe(kidOf(before, 'current'));
  });

  it('are seen by every replica within seconds, without a restart, and their age is measured', async () => {
    const metrics = createMetrics('issuer');
    await using keys = await start(metrics);
    const sets = [keys.current()];
    keys.onChange((set) => sets.push(set));
    await age(30, 'current');
    await age(1, 'next');
    const changed = await poll('the other keys', async () => sets[1], 10_000);
    expect(changed.keys[0]?.kid).toBe(sets[0]?.newest.kid);
    expect(changed.newest.kid).not.toBe(sets[0]?.newest.kid);
    await age(3, 'current');
    await keys.refresh();
    const text = await metrics.metrics();
    expect(text).toMatch(/signing_key_age_seconds\{algorithm="RS256",state="retired",.*\} \d/);
  });
});

describe('revokeKey', () => {
  it('lets the next key sign at once, destroys the other, and publishes a new one', async () => {
    const before = await rotate();
    const [current, next] = [kidOf(before, 'current'), kidOf(before, 'next')];
    expect(await revoke(current)).toEqual({ promoted: next });
    await using keys = await start();
    const { keys: published, newest } = keys.current();
    expect(published[0]?.kid).toBe(next);
    expect(published.map(({ kid }) => kid)).not.toContain(current);
    expect(before.map(({ kid }) => kid)).not.toContain(newest.kid);
    const [row] = await database.query<{ state: string; sealed_jwk: Buffer }>(
      'SELECT state, sealed_jwk FROM signing_key WHERE kid = $1',
      [current],
    );
    expect(row).toEqual({ state: 'revoked', sealed_jwk: Buffer.alloc(0) });
  });

  it.each(['next', 'retired'])(
    'leaves the current key when it is of one that is %s',
    async (state) => {
      const first = await rotate();
      await age(30, 'current');
      await age(1, 'next');
      const before = state === 'retired' ? await rotate() : first;
      expect(await revoke(kidOf(before, state))).toEqual({ promoted: undefined });
      await using keys = await start();
      expect(keys.current().keys.map(({ kid }) => kid)).not.toContain(kidOf(before, state));
      expect(before.map(({ kid }) => kid)).not.toContain(keys.current().newest.kid);
    },
  );

  it('does nothing the second time, and refuses what is no key', async () => {
    const current = kidOf(await rotate(), 'current');
    await revoke(current);
    const rows = await rotate();
    expect(await revoke(current)).toEqual({ promoted: undefined });
    expect((await rotate()).map(({ kid }) => kid)).toEqual(rows.map(({ kid }) => kid));
    await expect(revoke('nothing')).rejects.toThrow('There is no key nothing.');
  });

  it('makes a key to sign with where there is no other', async () => {
    const rows = await rotate();
    await database.query("DELETE FROM signing_key WHERE state = 'next'");
    const { promoted } = await revoke(kidOf(rows, 'current'));
    expect(kidOf(await rotate(), 'current')).toBe(promoted);
  });

  it('is seen by the other services, which never see a key', async () => {
    const current = kidOf(await rotate(), 'current');
    await revoke(current);
    for (const role of ['hexabase_tenancy_api', 'hexabase_rbac_sync'] as const) {
      const db = await database.connectAs(role);
      const names = sql.type(z.object({ kid: z.string() }))`
        SELECT kid FROM signing_key WHERE state = 'revoked'
      `;
      expect(await db.any(names)).toEqual([{ kid: current }]);
      const secrets = sql.type(z.unknown())`SELECT sealed_jwk FROM signing_key`;
      await expect(db.any(secrets)).rejects.toThrow('permission denied');
    }
  });
});
