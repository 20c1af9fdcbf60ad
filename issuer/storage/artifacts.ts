/** Rows of oidc_artifact: codes, tokens, sessions and interactions, each model apart from the others. */
import { type CommonQueryMethods, sql, UniqueIntegrityConstraintViolationError } from 'slonik';
import * as z from 'zod';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';

/** How long the same refresh token may come again, for a lost answer or a race, in seconds. */
export const REUSE_GRACE_SECONDS = 10;

const ArtifactRow = z.strictObject({
  id_hash: z.instanceof(Buffer),
  sealed_payload: z.instanceof(Buffer),
  consumed: z.boolean(),
});

/** A stored artifact; `consumed` once the grace time after its consumption is over. */
export type ArtifactRow = z.infer<typeof ArtifactRow>;

/** What is stored of an artifact; times in seconds. */
export type Artifact = {
  readonly idHash: Buffer;
  readonly grantIdHash: Buffer | null;
  readonly accountId: string | null;
  readonly uidHash: Buffer | null;
  readonly userCodeHash: Buffer | null;
  readonly sealedPayload: Buffer;
  readonly expiresIn: number;
};

/** One of the ways to name an artifact. */
export type ArtifactKey =
  | { readonly idHash: Buffer }
  | { readonly uidHash: Buffer }
  | { readonly userCodeHash: Buffer };

const Nothing = z.strictObject({});
const bytes = (value: Buffer | null) => (value === null ? null : sql.binary(value));

/**
 * Stores an artifact, new or again. Of a refresh token the first row stays: its successors derive from
 * it. A session is known by its `uid` and changes its id, so its row moves along; one that was ended stays
 * so.
 *
 * @returns whether it is stored: false for an ended session, and for what must come once and came before
 * @throws ForeignKeyIntegrityConstraintViolationError when its grant or person is gone
 */
export const upsertArtifact = async (
  db: CommonQueryMethods,
  model: string,
  artifact: Artifact,
): Promise<boolean> => {
  const write = () => insertOrUpdate(db, model, artifact);
  // Of several writes of one session at once the one may meet, as a row of the same id, what the other is
  // still making known under its uid: PostgreSQL looks out for one of the two only.
  const rowCount = await write().catch((error: unknown) => {
    if (model === 'Session' && error instanceof UniqueIntegrityConstraintViolationError) {
      return write();
    }
    throw error;
  });
  return rowCount === 1 || (model !== 'Session' && model !== 'ReplayDetection');
};

const insertOrUpdate = async (
  db: CommonQueryMethods,
  model: string,
  artifact: Artifact,
): Promise<number> => {
  const { idHash, grantIdHash, accountId, uidHash, userCodeHash, sealedPayload } = artifact;
  const { rowCount } = await db.query(sql.type(Nothing)`
    INSERT INTO oidc_artifact (
      model, id_hash, grant_id_hash, account_id, uid_hash, user_code_hash, sealed_payload, expires_at
    )
    VALUES (
      ${model}, ${sql.binary(idHash)}, ${bytes(grantIdHash)}, ${accountId}, ${bytes(uidHash)},
      ${bytes(userCodeHash)}, ${sql.binary(sealedPayload)},
      now() + make_interval(secs => ${artifact.expiresIn})
    )
    ${onConflict(model)}
  `);
  return rowCount;
};

const onConflict = (model: string) => {
  if (model === 'RefreshToken' || model === 'ReplayDetection')
    return sql.fragment`ON CONFLICT (model, id_hash) DO NOTHING`;
  const key =
    model === 'Session' ? sql.fragment`(model, uid_hash)` : sql.fragment`(model, id_hash)`;
  return sql.fragment`
    ON CONFLICT ${key} DO UPDATE SET
      id_hash = excluded.id_hash, grant_id_hash = excluded.grant_id_hash,
      account_id = excluded.account_id, sealed_payload = excluded.sealed_payload,
      expires_at = excluded.expires_at
    ${model === 'Session' ? sql.fragment`WHERE oidc_artifact.consumed_at IS NULL` : sql.fragment``}
  `;
};

/** Finds an artifact that hasn't expired. */
export const findArtifact = (
  db: CommonQueryMethods,
  model: string,
  key: ArtifactKey,
): Promise<ArtifactRow | null> =>
  db.maybeOne(sql.prepared(`issuer_artifact_by_${Object.keys(key)}`, ArtifactRow)`
    SELECT id_hash, sealed_payload,
      coalesce(consumed_at <= now() - make_interval(secs => ${REUSE_GRACE_SECONDS}), false) AS consumed
    FROM oidc_artifact
    WHERE model = ${model} AND ${whereKey(key)}
      AND expires_at > now() - make_interval(secs => ${CLOCK_SKEW_SECONDS})
      AND (model <> 'Session' OR consumed_at IS NULL)
  `);

const whereKey = (key: ArtifactKey) => {
  if ('idHash' in key) return sql.fragment`id_hash = ${sql.binary(key.idHash)}`;
  return 'uidHash' in key
    ? sql.fragment`uid_hash = ${sql.binary(key.uidHash)}`
    : sql.fragment`user_code_hash = ${sql.binary(key.userCodeHash)}`;
};

/** Consumes an artifact; false when it already was, or is gone. Of several at once one gets true. */
export const consumeArtifact = async (
  db: CommonQueryMethods,
  model: string,
  idHash: Buffer,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    UPDATE oidc_artifact SET consumed_at = now()
    WHERE model = ${model} AND id_hash = ${sql.binary(idHash)} AND consumed_at IS NULL
  `);
  return rowCount === 1;
};

/** Whether an artifact was consumed at most {@link REUSE_GRACE_SECONDS} ago. */
export const wasConsumedInGrace = (
  db: CommonQueryMethods,
  model: string,
  idHash: Buffer,
): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT FROM oidc_artifact
    WHERE model = ${model} AND id_hash = ${sql.binary(idHash)}
      AND consumed_at > now() - make_interval(secs => ${REUSE_GRACE_SECONDS})
  `);

/** Ends the grant of a code whose refresh token has been issued, and with it all that it gave. */
export const revokeFamilyOfUsedCode = async (
  db: CommonQueryMethods,
  model: string,
  idHash: Buffer,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant g
    USING oidc_artifact code
    WHERE code.model = ${model} AND code.id_hash = ${sql.binary(idHash)}
      AND g.id_hash = code.grant_id_hash
      AND EXISTS (
        SELECT FROM oidc_artifact token
        WHERE token.model = 'RefreshToken' AND token.grant_id_hash = g.id_hash
      )
  `);
};

/** Removes an artifact, if it is there. */
export const deleteArtifact = async (
  db: CommonQueryMethods,
  model: string,
  idHash: Buffer,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM oidc_artifact WHERE model = ${model} AND id_hash = ${sql.binary(idHash)}
  `);
};

/** Removes a model's artifacts of a grant. */
export const deleteArtifactsOfGrant = async (
  db: CommonQueryMethods,
  model: string,
  grantIdHash: Buffer,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM oidc_artifact
    WHERE model = ${model} AND grant_id_hash = ${sql.binary(grantIdHash)}
  `);
};
