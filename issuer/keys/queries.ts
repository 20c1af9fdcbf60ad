/** Rows of signing_key. Times are the database's, because the replicas' clocks differ. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import {
  KEY_STATES,
  type KeyState,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from './rotation.ts';

const KeyRow = z.strictObject({
  kid: z.string(),
  algorithm: z.enum(SIGNING_ALGORITHMS),
  state: z.enum(KEY_STATES),
  state_since: z.date(),
  created_at: z.date(),
  sealed_jwk: z.instanceof(Buffer),
  now: z.date(),
});

/** A key as it is stored; `sealed_jwk` is empty once it is revoked. */
export type KeyRow = z.infer<typeof KeyRow>;

const Nothing = z.strictObject({});

const LOCK = 'hexabase:signing-keys';

/** Until the end of the transaction nobody else changes keys. */
export const lockSigningKeys = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.type(z.unknown())`
    SELECT pg_advisory_xact_lock(hashtextextended(${LOCK}, 0))
  `);
};

/** All keys, the current ones first and in each state the newest. */
export const listSigningKeys = (db: CommonQueryMethods): Promise<readonly KeyRow[]> =>
  db.any(sql.prepared('issuer_signing_keys', KeyRow)`
    SELECT kid, algorithm, state, state_since, created_at, sealed_jwk, now() AS now
    FROM signing_key
    ORDER BY array_position(ARRAY['current', 'next', 'retired'], state), algorithm, created_at DESC, kid
  `);

/** What a new key is stored as. */
export type NewKey = {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly sealedJwk: Buffer;
};

/** Stores a key that was just made. */
export const insertSigningKey = async (
  db: CommonQueryMethods,
  { kid, algorithm, sealedJwk }: NewKey,
  state: KeyState,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO signing_key (kid, algorithm, sealed_jwk, state)
    VALUES (${kid}, ${algorithm}, ${sql.binary(sealedJwk)}, ${state})
  `);
};

/** Moves a key into another state, from now on. */
export const setKeyState = async (
  db: CommonQueryMethods,
  kid: string,
  state: Exclude<KeyState, 'revoked'>,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE signing_key SET state = ${state}, state_since = now() WHERE kid = ${kid}
  `);
};

/** Revokes a key and destroys its private part; its name stays. */
export const setKeyRevoked = async (db: CommonQueryMethods, kid: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE signing_key SET state = 'revoked', state_since = now(), sealed_jwk = ''
    WHERE kid = ${kid} AND state <> 'revoked'
  `);
};

/** Removes a key for good. */
export const deleteSigningKey = async (db: CommonQueryMethods, kid: string): Promise<void> => {
  await db.query(sql.type(Nothing)`DELETE FROM signing_key WHERE kid = ${kid}`);
};
