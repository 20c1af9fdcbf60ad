/** What the account pages read and remove, always of one person. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const GrantRow = z.strictObject({
  id_hash: z.instanceof(Buffer),
  client_id: z.string(),
  sealed_payload: z.instanceof(Buffer),
  created_at: z.int(),
  last_used_at: z.int(),
});
const Nothing = z.strictObject({});

/** A client's sign-in; times in seconds since 1970. */
export type GrantRow = z.infer<typeof GrantRow>;

/**
 * The sign-ins of clients that can still be renewed, the last used first. Each renewal leaves a token, so
 * the youngest tells when the last one was.
 */
export const listGrants = (
  db: CommonQueryMethods,
  personId: string,
): Promise<readonly GrantRow[]> =>
  db.any(sql.type(GrantRow)`
    SELECT g.id_hash, g.client_id, g.sealed_payload,
      extract(epoch FROM g.created_at)::int AS created_at,
      extract(epoch FROM t.last_used_at)::int AS last_used_at
    FROM oidc_grant g
    JOIN LATERAL (
      SELECT max(a.created_at) AS last_used_at FROM oidc_artifact a
      WHERE a.grant_id_hash = g.id_hash AND a.model = 'RefreshToken' AND a.expires_at > now()
    ) t ON t.last_used_at IS NOT NULL
    WHERE g.account_id = ${personId} AND g.expires_at > now()
    ORDER BY t.last_used_at DESC, g.id_hash
  `);

/** Revokes one of a person's grants, with all tokens; false when they have no such grant. */
export const deleteOwnGrant = async (
  db: CommonQueryMethods,
  personId: string,
  idHash: Buffer,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant WHERE account_id = ${personId} AND id_hash = ${sql.binary(idHash)}
  `);
  return rowCount === 1;
};

/** Revokes all of a person's grants; how many there were. */
export const deleteOwnGrants = async (
  db: CommonQueryMethods,
  personId: string,
): Promise<number> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant WHERE account_id = ${personId}
  `);
  return rowCount;
};

/** Revokes a person's grants but these. */
export const deleteOtherGrants = async (
  db: CommonQueryMethods,
  personId: string,
  keptHashes: readonly Buffer[],
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant
    WHERE account_id = ${personId} AND id_hash <> ALL (${sql.array([...keptHashes], 'bytea')})
  `);
};

/** The person's private organization, which holds the audit of their account. */
export const findPrivateOrganization = (
  db: CommonQueryMethods,
  personId: string,
): Promise<string | null> =>
  db.maybeOneFirst(sql.type(z.strictObject({ id: z.uuid() }))`
    SELECT id FROM organization WHERE personal_for = ${personId}
  `);
