/** What secrets, keys and federated credentials of a service account have in common. */
import { type CommonQueryMethods, type FragmentSqlToken, type QuerySqlToken, sql } from 'slonik';
import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import type { RequestContext } from '../context.ts';
import { PROBLEMS, Problem } from '../problems.ts';
import { Id, Timestamp } from '../schema.ts';
import { getServiceAccount } from './service.ts';

/** A service account (UUID) of a workspace (UUID). */
export type MachineKey = { readonly workspaceId: string; readonly accountId: string };

/** How many of each kind a service account can have: enough to change over, few enough to know them all. */
export const MOST_CREDENTIALS = 20;

/** Columns that each of them has. */
export const credentialRowShape = {
  id: z.uuid(),
  last_used_at: z.date().nullable(),
  created_by: z.uuid().nullable(),
  created_at: z.date(),
};

type CredentialRow = z.infer<z.ZodObject<typeof credentialRowShape>>;

/** Members that each of them has in answers. */
export const credentialShape = {
  last_used_at: Timestamp.nullable().describe('To the minute; null: never.'),
  created_by: Id('person').nullable(),
  created_at: Timestamp,
};

/** Those members. */
export const toCredential = (row: CredentialRow) => ({
  last_used_at: row.last_used_at?.toISOString() ?? null,
  created_by: row.created_by && formatId('person', row.created_by),
  created_at: row.created_at.toISOString(),
});

/** Where a service account's rows are. */
export const belongsTo = ({ workspaceId, accountId }: MachineKey): FragmentSqlToken =>
  sql.fragment`workspace_id = ${workspaceId} AND service_account_id = ${accountId}`;

/**
 * Makes sure that the service account is there and can have one more.
 *
 * @param count the query that counts those it has
 * @throws Problem not-found, unprocessable
 */
export const assertRoom = async (
  context: RequestContext,
  { workspaceId, accountId }: MachineKey,
  count: QuerySqlToken<typeof CountRow>,
): Promise<void> => {
  await getServiceAccount(context, workspaceId, accountId);
  if ((await countRows(context.tx, count)) < MOST_CREDENTIALS) return;
  throw new Problem(
    PROBLEMS.unprocessable,
    `The service account has ${MOST_CREDENTIALS} of these already. Delete those that nothing uses.`,
  );
};

/** What a query that counts answers. */
export const CountRow = z.strictObject({ count: z.int() });

const countRows = (
  db: CommonQueryMethods,
  count: QuerySqlToken<typeof CountRow>,
): Promise<number> => db.oneFirst(count);
