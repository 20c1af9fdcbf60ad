/**
 * Platform administrators: named in the settings by who they are to their identity provider, so that no
 * row that a tenant could ever write makes one.
 */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const SetRow = z.strictObject({ set: z.string() });

/** Someone as an identity provider knows them. */
export type Identity = { readonly connector: string; readonly subject: string };

/** Finds out whether the caller of a transaction is a platform administrator. */
export type PlatformAdmins = {
  /** Marks the transaction too, so that row-level security lets it write what is the platform's. */
  readonly recognize: (db: CommonQueryMethods) => Promise<boolean>;
};

/** @param identities those of the administrators */
export const createPlatformAdmins = (identities: readonly Identity[]): PlatformAdmins => {
  const admins = new Set(identities.map(toKey));
  return {
    recognize: async (db) => {
      if (admins.size === 0) return false;
      const mine = await listMyIdentities(db);
      if (!mine.some((identity) => admins.has(toKey(identity)))) return false;
      await markTransaction(db);
      return true;
    },
  };
};

const toKey = ({ connector, subject }: Identity): string => JSON.stringify([connector, subject]);

const IdentityRow = z.strictObject({ connector: z.string(), subject: z.string() });

const listMyIdentities = (db: CommonQueryMethods): Promise<readonly Identity[]> =>
  db.any(sql.type(IdentityRow)`SELECT connector, subject FROM my_identities()`);

const markTransaction = async (db: CommonQueryMethods): Promise<void> => {
  await db.one(sql.type(SetRow)`
    SELECT set_config('hexabase.platform_admin', 'true', true) AS set
  `);
};
