import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { PageRequest } from '../cursor.ts';
import { belongsTo, CountRow, type MachineKey } from '../service-accounts/credentials.ts';
import { type CreateFederatedCredential, FederatedCredentialRow } from './schema.ts';

const IssuerRow = z.strictObject({ issuer: z.string() });

const columns = sql.fragment`
  id, issuer, audience, claims, jwks, single_use, last_used_at, created_by, created_at`;

/** The federated credentials of a service account, in the order in which they were made. */
export const listFederatedCredentials = (
  db: CommonQueryMethods,
  machine: MachineKey,
  { after, take }: PageRequest,
): Promise<readonly FederatedCredentialRow[]> =>
  db.any(sql.type(FederatedCredentialRow)`
    SELECT ${columns}
    FROM federated_credential
    WHERE ${belongsTo(machine)} AND ${ifGiven(after, (last) => sql.fragment`id > ${last}::uuid`)}
    ORDER BY id
    LIMIT ${take}
  `);

/** Counts the federated credentials of a service account. */
export const countFederatedCredentials = (machine: MachineKey) =>
  sql.type(CountRow)`
    SELECT count(*)::int AS count FROM federated_credential WHERE ${belongsTo(machine)}
  `;

/** A federated credential to insert. */
export type NewFederatedCredential = MachineKey &
  Pick<CreateFederatedCredential, 'issuer' | 'claims' | 'single_use'> &
  Pick<CreateFederatedCredential, 'jwks'> & {
    readonly id: string;
    readonly audience: string;
    readonly createdBy: string;
  };

/** A new federated credential. */
export const insertFederatedCredential = (
  db: CommonQueryMethods,
  credential: NewFederatedCredential,
): Promise<FederatedCredentialRow> =>
  db.one(sql.type(FederatedCredentialRow)`
    INSERT INTO federated_credential (
      id, workspace_id, service_account_id, issuer, audience, claims, jwks, single_use, created_by
    ) VALUES (
      ${credential.id}, ${credential.workspaceId}, ${credential.accountId}, ${credential.issuer},
      ${credential.audience}, ${sql.jsonb(credential.claims)},
      ${credential.jwks ? sql.jsonb(credential.jwks) : null}, ${credential.single_use},
      ${credential.createdBy}
    )
    RETURNING ${columns}
  `);

/** Deletes a federated credential of this service account; `null` when it has none of this id. */
export const deleteFederatedCredential = (
  db: CommonQueryMethods,
  machine: MachineKey,
  credentialId: string,
): Promise<z.infer<typeof IssuerRow> | null> =>
  db.maybeOne(sql.type(IssuerRow)`
    DELETE FROM federated_credential WHERE ${belongsTo(machine)} AND id = ${credentialId}
    RETURNING issuer
  `);
