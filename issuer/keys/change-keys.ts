/** Changes of the signing keys: by the rules, at once on command, and in an emergency. One at a time. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { CommonQueryMethods, DatabasePool } from 'slonik';
import { recordAudit } from '#database/changes.ts';
import { createId } from '#domain/identifiers.ts';
import type { Encryption } from '#runtime/encryption.ts';
import {
  deleteSigningKey,
  insertSigningKey,
  type KeyRow,
  listSigningKeys,
  lockSigningKeys,
  type NewKey,
  setKeyRevoked,
  setKeyState,
} from './queries.ts';
import {
  ageOf,
  type KeyAction,
  planRotation,
  type RotationPolicy,
  type SigningAlgorithm,
} from './rotation.ts';

/** What changes need. */
export type KeyChangeDeps = {
  /** Of the role hexabase_issuer. */
  readonly database: DatabasePool;
  readonly encryption: Encryption;
};

/** What a private key is sealed for. */
export const purposeOfKey = (kid: string): string => `signing-key:${kid}`;

/** Does what is due, if anything is; answers the keys as they are then. */
export const rotateWhenDue = async (
  deps: KeyChangeDeps,
  policy: RotationPolicy,
): Promise<readonly KeyRow[]> => {
  const rows = await listSigningKeys(deps.database);
  if (plan(rows, policy).length === 0) return rows;
  return deps.database.transaction(async (transaction) => {
    await lockSigningKeys(transaction);
    // Another replica may have done it meanwhile.
    for (const action of plan(await listSigningKeys(transaction), policy)) {
      await carryOut(transaction, deps.encryption, action);
    }
    return listSigningKeys(transaction);
  });
};

/** What a rotation on command did, and in how many seconds what is left can be done. */
export type RotationNow = {
  readonly rotated: readonly SigningAlgorithm[];
  readonly waitSeconds: number;
};

/** Lets the next keys sign that have been published for long enough, however young the current ones are. */
export const rotateNow = (
  { database, encryption }: KeyChangeDeps,
  policy: RotationPolicy,
  algorithms: readonly SigningAlgorithm[],
): Promise<RotationNow> =>
  database.transaction(async (transaction) => {
    await lockSigningKeys(transaction);
    const rows = await listSigningKeys(transaction);
    const algorithmOf = new Map(rows.map(({ kid, algorithm }) => [kid, algorithm]));
    const rotated: SigningAlgorithm[] = [];
    for (const action of plan(rows, { ...policy, rotateSeconds: 0 })) {
      const algorithm = action.type === 'make' ? action.algorithm : algorithmOf.get(action.kid);
      if (!algorithm || !algorithms.includes(algorithm)) continue;
      await carryOut(transaction, encryption, action);
      if (action.type === 'promote') rotated.push(algorithm);
    }
    const left = algorithms.filter((algorithm) => !rotated.includes(algorithm));
    return { rotated, waitSeconds: secondsUntilKnown(rows, policy, left) };
  });

const secondsUntilKnown = (
  rows: readonly KeyRow[],
  { publishSeconds }: RotationPolicy,
  algorithms: readonly SigningAlgorithm[],
): number => {
  const waits = algorithms.map((algorithm) => {
    const ages = rows
      .filter((row) => row.state === 'next' && row.algorithm === algorithm)
      .map((row) => ageOf(row, row.now));
    return Math.ceil(publishSeconds - Math.max(0, ...ages));
  });
  return Math.max(1, ...waits);
};

// The clock is the rows' own; without rows there is nothing whose age matters.
const plan = (rows: readonly KeyRow[], policy: RotationPolicy): readonly KeyAction[] =>
  planRotation(rows, policy, rows[0]?.now ?? new Date());

const carryOut = async (
  db: CommonQueryMethods,
  encryption: Encryption,
  action: KeyAction,
): Promise<void> => {
  switch (action.type) {
    case 'make':
      return insertSigningKey(db, await makeKey(action.algorithm, encryption), action.state);
    case 'retire':
      return setKeyState(db, action.kid, 'retired');
    case 'promote':
      return setKeyState(db, action.kid, 'current');
    case 'delete':
      return deleteSigningKey(db, action.kid);
  }
};

const makeKey = async (algorithm: SigningAlgorithm, encryption: Encryption): Promise<NewKey> => {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const complete = { ...jwk, kid, alg: algorithm, use: 'sig' };
  return {
    kid,
    algorithm,
    sealedJwk: encryption.seal(purposeOfKey(kid), JSON.stringify(complete)),
  };
};

/** Why a key can't be revoked. */
export class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError';
}

/** What a revocation did. */
export type Revocation = {
  /** The key that signs from now on, when the revoked one did until now. */
  readonly promoted: string | undefined;
};

/**
 * Revokes a key: it is no longer published, signs nothing more, and its private part is destroyed. A new
 * key is published in the same moment: whoever accepts what it signs has read the keys after that, and
 * so trusts the revoked one no more.
 *
 * @throws UnknownKeyError when there is no such key
 */
export const revokeKey = (deps: KeyChangeDeps, kid: string): Promise<Revocation> =>
  deps.database.transaction(async (transaction) => {
    await lockSigningKeys(transaction);
    const rows = await listSigningKeys(transaction);
    const key = rows.find((row) => row.kid === kid);
    if (!key) throw new UnknownKeyError(`There is no key ${kid}.`);
    if (key.state === 'revoked') return { promoted: undefined };
    await setKeyRevoked(transaction, kid);
    const promoted = key.state === 'current' ? await replace(transaction, deps, key) : undefined;
    await carryOut(transaction, deps.encryption, WITNESS);
    await recordAudit(transaction, {
      ...OF_THE_PLATFORM,
      // Keys have names that are no UUIDs.
      targetId: createId(),
      before: { kid, state: key.state },
      after: { kid, state: 'revoked' },
    });
    return { promoted };
  });

// Whoever runs the command has the database; who that is nobody can tell here.
const OF_THE_PLATFORM = {
  action: 'signing-key.revoke',
  organizationId: null,
  workspaceId: null,
  actorId: null,
  requestId: null,
  ip: null,
};

const WITNESS: KeyAction = { type: 'make', algorithm: 'ES256', state: 'next' };

/** The key that has been published longest takes over. */
const replace = async (
  db: CommonQueryMethods,
  { encryption }: KeyChangeDeps,
  { algorithm }: KeyRow,
): Promise<string> => {
  const published = (await listSigningKeys(db)).filter(
    (row) => row.state === 'next' && row.algorithm === algorithm,
  );
  const [oldest] = published.sort((one, other) => +one.state_since - +other.state_since);
  if (oldest) {
    await setKeyState(db, oldest.kid, 'current');
    return oldest.kid;
  }
  const made = await makeKey(algorithm, encryption);
  await insertSigningKey(db, made, 'current');
  return made.kid;
};
