/** Whether a workspace takes anyone in: not while it is suspended or waits for its deletion. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const ClosureRow = z.strictObject({ deleting: z.boolean() });

/** Why nobody gets tokens for a workspace, to be read by its members. */
export type Closure = 'suspended' | 'deleting';

/**
 * Why a workspace is closed, by itself or with its organization; `undefined` for one that is open or
 * unknown.
 *
 * @param workspaceId UUID
 */
export const findClosure = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<Closure | undefined> => {
  const row = await selectClosure(db, workspaceId);
  return row ? (row.deleting ? 'deleting' : 'suspended') : undefined;
};

/** What a client is told about it. */
export const describeClosure = (closure: Closure): string =>
  closure === 'suspended' ? 'the workspace is suspended' : 'the workspace is being deleted';

const selectClosure = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<z.infer<typeof ClosureRow> | null> =>
  db.maybeOne(sql.prepared('issuer_workspace_closure', ClosureRow)`
    SELECT num_nonnulls(w.delete_after, o.delete_after) > 0 AS deleting
    FROM workspace w
    JOIN organization o ON o.id = w.organization_id
    WHERE w.id = ${workspaceId}::uuid
      AND num_nonnulls(w.suspended_at, w.delete_after, o.delete_after) > 0
  `);
