/** Rows of oidc_grant: one for each sign-in of a client, and all that was issued under it goes with it. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';

const GrantRow = z.strictObject({ sealed_payload: z.instanceof(Buffer) });
const Nothing = z.strictObject({});

/** What is stored of a grant; `expiresIn` in seconds. */
export type StoredGrant = {
  readonly idHash: Buffer;
  readonly accountId: string;
  readonly clientId: string;
  readonly sealedPayload: Buffer;
  readonly expiresIn: number;
};

/** Stores a grant, new or again. */
export const upsertGrant = async (db: CommonQueryMethods, grant: StoredGrant): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO oidc_grant (id_hash, account_id, client_id, sealed_payload, expires_at)
    VALUES (
      ${sql.binary(grant.idHash)}, ${grant.accountId}, ${grant.clientId},
      ${sql.binary(grant.sealedPayload)}, now() + make_interval(secs => ${grant.expiresIn})
    )
    ON CONFLICT (id_hash) DO UPDATE SET
      sealed_payload = excluded.sealed_payload, expires_at = excluded.expires_at
  `);
};

/** Finds a grant that hasn't expired. */
export const findGrant = (
  db: CommonQueryMethods,
  idHash: Buffer,
): Promise<z.infer<typeof GrantRow> | null> =>
  db.maybeOne(sql.prepared('issuer_grant', GrantRow)`
    SELECT sealed_payload FROM oidc_grant
    WHERE id_hash = ${sql.binary(idHash)}
      AND expires_at > now() - make_interval(secs => ${CLOCK_SKEW_SECONDS})
  `);

/** Revokes a grant: removes it and everything issued under it. */
export const deleteGrant = async (db: CommonQueryMethods, idHash: Buffer): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant WHERE id_hash = ${sql.binary(idHash)}
  `);
};
