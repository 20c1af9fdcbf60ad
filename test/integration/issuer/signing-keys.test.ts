import { randomBytes } from 'node:crypto';
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEncryption } from '#runtime/encryption.ts';
import { loadSigningKeys } from '../../../issuer/protocol/signing-keys.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let pool: DatabasePool;
const encryption = createEncryption(randomBytes(32));

beforeAll(async () => {
  database = await createTestDatabase();
  pool = await database.connectAs('hexabase_issuer');
});
afterAll(() => database[Symbol.asyncDispose]());

const kids = (keys: { kid?: string }[]) => keys.map(({ kid }) => kid);

describe('loadSigningKeys', () => {
  it('makes one set, however many replicas start at once', async () => {
    const sets = await Promise.all(
      Array.from({ length: 8 }, () => loadSigningKeys(pool, encryption)),
    );
    for (const keys of sets) expect(kids(keys)).toEqual(kids(sets[0] ?? []));
    expect(sets[0]?.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    expect(await database.query('SELECT FROM signing_key')).toHaveLength(2);
  });

  it('keeps them sealed', async () => {
    const [key] = await loadSigningKeys(pool, encryption);
    const rows = await database.query<{ sealed_jwk: Buffer }>('SELECT sealed_jwk FROM signing_key');
    for (const { sealed_jwk } of rows) {
      expect(sealed_jwk.toString('latin1')).not.toContain(key?.d);
      expect(sealed_jwk.toString('latin1')).not.toContain('kty');
    }
    const other = createEncryption(randomBytes(32));
    await expect(loadSigningKeys(pool, other)).rejects.toThrow();
  });

  it('puts the current key before the next and the retired one', async () => {
    const [current] = await loadSigningKeys(pool, encryption);
    for (const state of ['next', 'retired']) {
      const purpose = `signing-key:${state}`;
      await database.query(
        "INSERT INTO signing_key (kid, algorithm, sealed_jwk, state) VALUES ($1, 'ES256', $2, $1)",
        [state, encryption.seal(purpose, JSON.stringify({ ...current, kid: state }))],
      );
    }
    const keys = await loadSigningKeys(pool, encryption);
    expect(kids(keys).filter((kid) => kid !== keys[1]?.kid)).toEqual([
      current?.kid,
      'next',
      'retired',
    ]);
  });
});
