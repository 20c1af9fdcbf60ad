import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { PublicKey } from '#runtime/public-key.ts';
import type { PageRequest } from '../cursor.ts';
import { belongsTo, CountRow, type MachineKey } from '../service-accounts/credentials.ts';
import { KeyRow } from './schema.ts';

const ThumbprintRow = z.strictObject({ thumbprint: z.string() });

const columns = sql.fragment`
  id, jwk, thumbprint, expires_at, last_used_at, created_by, created_at`;

/** The keys of a service account, in the order in which they were made. */
export const listKeys = (
  db: CommonQueryMethods,
  machine: MachineKey,
  { after, take }: PageRequest,
): Promise<readonly KeyRow[]> =>
  db.any(sql.type(KeyRow)`
    SELECT ${columns}
    FROM service_account_key
    WHERE ${belongsTo(machine)} AND ${ifGiven(after, (last) => sql.fragment`id > ${last}::uuid`)}
    ORDER BY id
    LIMIT ${take}
  `);

/** Counts the keys of a service account. */
export const countKeys = (machine: MachineKey) =>
  sql.type(CountRow)`
    SELECT count(*)::int AS count FROM service_account_key WHERE ${belongsTo(machine)}
  `;

/** A key to insert. */
export type NewKey = MachineKey & {
  readonly id: string;
  readonly jwk: PublicKey;
  readonly thumbprint: string;
  /** RFC 3339. */
  readonly expiresAt: string | null;
  readonly createdBy: string;
};

/** A new key; its constraint speaks when the service account has it already. */
export const insertKey = (db: CommonQueryMethods, key: NewKey): Promise<KeyRow> =>
  db.one(sql.type(KeyRow)`
    INSERT INTO service_account_key (
      id, workspace_id, service_account_id, jwk, thumbprint, expires_at, created_by
    ) VALUES (
      ${key.id}, ${key.workspaceId}, ${key.accountId}, ${sql.jsonb(key.jwk)}, ${key.thumbprint},
      ${key.expiresAt}, ${key.createdBy}
    )
    RETURNING ${columns}
  `);

/** Deletes a key of this service account; `null` when it has none of this id. */
export const deleteKey = (
  db: CommonQueryMethods,
  machine: MachineKey,
  keyId: string,
): Promise<z.infer<typeof ThumbprintRow> | null> =>
  db.maybeOne(sql.type(ThumbprintRow)`
    DELETE FROM service_account_key WHERE ${belongsTo(machine)} AND id = ${keyId}
    RETURNING thumbprint
  `);
