/** The keys that sign tokens: made at the first start, kept sealed, published at `/jwks`. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import type { Encryption } from '#runtime/encryption.ts';

/** The algorithms that tokens are signed with, the default first (RFC 7518). */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256'] as const;
type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

const SealedKeyRow = z.strictObject({
  kid: z.string(),
  algorithm: z.enum(SIGNING_ALGORITHMS),
  sealed_jwk: z.instanceof(Buffer),
});
type SealedKey = z.infer<typeof SealedKeyRow>;

const LOCK = 'hexabase:signing-keys';

/**
 * The private keys, each algorithm's current one before any other, since the first that fits signs.
 * Makes what is missing; of two replicas that start at once one does and the other finds them.
 *
 * @throws when a key was sealed with another ENCRYPTION_KEY
 */
export const loadSigningKeys = async (
  database: DatabasePool,
  encryption: Encryption,
): Promise<JWK[]> => {
  const rows = await database.transaction(async (transaction) => {
    await lockSigningKeys(transaction);
    const existing = await listSigningKeys(transaction);
    const missing = SIGNING_ALGORITHMS.filter(
      (algorithm) => !existing.some((row) => row.algorithm === algorithm),
    );
    const made = await Promise.all(missing.map((algorithm) => makeKey(algorithm, encryption)));
    for (const key of made) await insertCurrentKey(transaction, key);
    return made.length === 0 ? existing : listSigningKeys(transaction);
  });
  return rows.map((row) => JSON.parse(encryption.open(purposeOf(row.kid), row.sealed_jwk)));
};

const purposeOf = (kid: string): string => `signing-key:${kid}`;

const makeKey = async (algorithm: SigningAlgorithm, encryption: Encryption): Promise<SealedKey> => {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const complete = { ...jwk, kid, alg: algorithm, use: 'sig' };
  return {
    kid,
    algorithm,
    sealed_jwk: encryption.seal(purposeOf(kid), JSON.stringify(complete)),
  };
};

const lockSigningKeys = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.type(z.unknown())`
    SELECT pg_advisory_xact_lock(hashtextextended(${LOCK}, 0))
  `);
};

const listSigningKeys = (db: CommonQueryMethods): Promise<readonly SealedKey[]> =>
  db.any(sql.type(SealedKeyRow)`
    SELECT kid, algorithm, sealed_jwk FROM signing_key
    ORDER BY array_position(ARRAY['current', 'next', 'retired'], state), algorithm, created_at DESC
  `);

const insertCurrentKey = async (db: CommonQueryMethods, key: SealedKey): Promise<void> => {
  await db.query(sql.type(z.unknown())`
    INSERT INTO signing_key (kid, algorithm, sealed_jwk, state)
    VALUES (${key.kid}, ${key.algorithm}, ${sql.binary(key.sealed_jwk)}, 'current')
  `);
};
