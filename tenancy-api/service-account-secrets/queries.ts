import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { PageRequest } from '../cursor.ts';
import { belongsTo, CountRow, type MachineKey } from '../service-accounts/credentials.ts';
import { SecretRow } from './schema.ts';

const columns = sql.fragment`id, hint, expires_at, last_used_at, created_by, created_at`;

/** The secrets of a service account, in the order in which they were made. */
export const listSecrets = (
  db: CommonQueryMethods,
  machine: MachineKey,
  { after, take }: PageRequest,
): Promise<readonly SecretRow[]> =>
  db.any(sql.type(SecretRow)`
    SELECT ${columns}
    FROM service_account_secret
    WHERE ${belongsTo(machine)} AND ${ifGiven(after, (last) => sql.fragment`id > ${last}::uuid`)}
    ORDER BY id
    LIMIT ${take}
  `);

/** Counts the secrets of a service account. */
export const countSecrets = (machine: MachineKey) =>
  sql.type(CountRow)`
    SELECT count(*)::int AS count FROM service_account_secret WHERE ${belongsTo(machine)}
  `;

/** A secret to insert. */
export type NewSecret = MachineKey & {
  readonly id: string;
  /** SHA-256. */
  readonly hash: Buffer;
  readonly hint: string;
  readonly lifetimeDays: number;
  readonly createdBy: string;
};

/** A new secret. */
export const insertSecret = (db: CommonQueryMethods, secret: NewSecret): Promise<SecretRow> =>
  db.one(sql.type(SecretRow)`
    INSERT INTO service_account_secret (
      id, workspace_id, service_account_id, hash, hint, expires_at, created_by
    ) VALUES (
      ${secret.id}, ${secret.workspaceId}, ${secret.accountId}, ${sql.binary(secret.hash)},
      ${secret.hint},
      now() + make_interval(days => ${secret.lifetimeDays}), ${secret.createdBy}
    )
    RETURNING ${columns}
  `);

/** Deletes a secret of this service account; `null` when it has none of this id. */
export const deleteSecret = (
  db: CommonQueryMethods,
  machine: MachineKey,
  secretId: string,
): Promise<z.infer<typeof HintRow> | null> =>
  db.maybeOne(sql.type(HintRow)`
    DELETE FROM service_account_secret WHERE ${belongsTo(machine)} AND id = ${secretId}
    RETURNING hint
  `);

const HintRow = z.strictObject({ hint: z.string() });
