/** Rows of what service accounts prove themselves by. A use is noted to the minute, so that few uses write. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { withEffectiveGroups } from '#database/effective-groups.ts';

const AccountRow = z.strictObject({ workspace_id: z.uuid(), name: z.string() });
const KeyRow = z.strictObject({ jwk: z.record(z.string(), z.unknown()) });
const MembershipRow = z.strictObject({
  workspace_id: z.uuid(),
  display_name: z.string(),
  names: z.array(z.string()),
  seconds_left: z.int().nullable(),
});
const FederatedRow = z.strictObject({
  id: z.uuid(),
  issuer: z.string(),
  audience: z.string(),
  claims: z.record(z.string(), z.string()),
  jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).readonly() }).nullable(),
  single_use: z.boolean(),
});
const IdRow = z.strictObject({ id: z.uuid() });
const Nothing = z.strictObject({});

/** A condition under which another issuer's token is a service account's. */
export type FederatedCredential = Readonly<z.infer<typeof FederatedRow>>;

/** A service account with its groups; `seconds_left` as in a person's membership. */
export type MachineMembership = Readonly<z.infer<typeof MembershipRow>>;

/** A service account; `null` when there is none. @param accountId UUID */
export const findServiceAccount = (
  db: CommonQueryMethods,
  accountId: string,
): Promise<z.infer<typeof AccountRow> | null> =>
  db.maybeOne(sql.prepared('issuer_service_account', AccountRow)`
    SELECT workspace_id, name FROM service_account WHERE id = ${accountId}::uuid
  `);

/** The public keys of a service account that haven't expired. @param accountId UUID */
export const listKeys = (
  db: CommonQueryMethods,
  accountId: string,
): Promise<readonly z.infer<typeof KeyRow>[]> =>
  db.any(sql.prepared('issuer_service_account_keys', KeyRow)`
    SELECT k.jwk
    FROM service_account s
    JOIN service_account_key k ON k.workspace_id = s.workspace_id AND k.service_account_id = s.id
    WHERE s.id = ${accountId}::uuid AND (k.expires_at IS NULL OR k.expires_at > now())
    ORDER BY k.id
  `);

/** Whether a service account has this secret, and it hasn't expired; returns the secret's id. */
export const findSecret = async (
  db: CommonQueryMethods,
  accountId: string,
  hash: Buffer,
): Promise<string | undefined> => (await selectSecret(db, accountId, hash))?.id;

const selectSecret = (
  db: CommonQueryMethods,
  accountId: string,
  hash: Buffer,
): Promise<z.infer<typeof IdRow> | null> =>
  db.maybeOne(sql.prepared('issuer_service_account_secret', IdRow)`
    SELECT id FROM service_account_secret
    WHERE hash = ${sql.binary(hash)} AND service_account_id = ${accountId}::uuid AND expires_at > now()
  `);

/** Notes that a secret was used. @param secretId UUID */
export const touchSecret = async (db: CommonQueryMethods, secretId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE service_account_secret SET last_used_at = now()
    WHERE id = ${secretId} AND coalesce(last_used_at < now() - interval '1 minute', true)
  `);
};

/** Notes that the key of this thumbprint was used. @param accountId UUID */
export const touchKey = async (
  db: CommonQueryMethods,
  accountId: string,
  thumbprint: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE service_account_key k SET last_used_at = now()
    FROM service_account s
    WHERE s.id = ${accountId} AND k.workspace_id = s.workspace_id AND k.service_account_id = s.id
      AND k.thumbprint = ${thumbprint}
      AND coalesce(k.last_used_at < now() - interval '1 minute', true)
  `);
};

/** What a service account trusts of an issuer. @param accountId UUID */
export const listFederatedCredentials = (
  db: CommonQueryMethods,
  accountId: string,
  issuer: string,
): Promise<readonly FederatedCredential[]> =>
  db.any(sql.prepared('issuer_federated_credentials', FederatedRow)`
    SELECT f.id, f.issuer, f.audience, f.claims, f.jwks, f.single_use
    FROM service_account s
    JOIN federated_credential f ON f.workspace_id = s.workspace_id AND f.service_account_id = s.id
    WHERE s.id = ${accountId}::uuid AND f.issuer = ${issuer}
    ORDER BY f.id
  `);

/** Notes that a federated credential was used. @param credentialId UUID */
export const touchFederatedCredential = async (
  db: CommonQueryMethods,
  credentialId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE federated_credential SET last_used_at = now()
    WHERE id = ${credentialId} AND coalesce(last_used_at < now() - interval '1 minute', true)
  `);
};

/** A service account with all its groups, inherited ones too. Ids are UUIDs. */
export const findMachineMembership = (
  db: CommonQueryMethods,
  { accountId, workspaceId }: { readonly accountId: string; readonly workspaceId: string },
): Promise<MachineMembership | null> =>
  db.maybeOne(sql.prepared('issuer_machine_membership', MembershipRow)`
    ${withEffectiveGroups(workspaceId, accountId, 'serviceAccount')}
    SELECT s.workspace_id, s.display_name,
      coalesce((SELECT array_agg(e.name) FROM effective e), '{}') AS names,
      (
        SELECT floor(extract(epoch FROM min(m.expires_at) - now()))::int
        FROM group_service_account m
        WHERE m.workspace_id = s.workspace_id AND m.service_account_id = s.id
          AND m.expires_at > now() AND m.expires_at < now() + interval '1 hour'
      ) AS seconds_left
    FROM service_account s
    WHERE s.id = ${accountId}::uuid AND s.workspace_id = ${workspaceId}::uuid
  `);
