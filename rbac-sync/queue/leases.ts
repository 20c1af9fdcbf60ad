/**
 * Which replica looks after which workspace. A lease runs out by itself, so that another replica
 * takes over from one that died; each change of holder makes a larger fencing token, and every write
 * of state asks for it, so that one that only slept can't write over its successor.
 */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';

/** A workspace that is ours for now. */
export type Lease = {
  readonly workspaceId: string;
  readonly worker: string;
  readonly fencingToken: number;
};

/** Seconds until another may take over from a replica that went silent. */
export const LEASE_SECONDS = 15;

/** Another replica has taken the workspace over: whatever we were doing is its business now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

const LeaseRow = z.strictObject({ fencing_token: z.int() });

/** Takes or keeps the lease; `undefined` when another holds it, or when there is no such workspace. */
export const acquireLease = async (
  db: CommonQueryMethods,
  workspaceId: string,
  worker: string,
): Promise<Lease | undefined> => {
  const row = await db.maybeOne(sql.prepared('acquire_lease', LeaseRow)`
    INSERT INTO workspace_lease AS held (workspace_id, worker, fencing_token, expires_at)
    SELECT id, ${worker}, 1, now() + make_interval(secs => ${LEASE_SECONDS})
    FROM workspace WHERE id = ${workspaceId}
    ON CONFLICT (workspace_id) DO UPDATE SET
      worker = excluded.worker,
      fencing_token = held.fencing_token + CASE WHEN held.worker = excluded.worker THEN 0 ELSE 1 END,
      expires_at = excluded.expires_at
    WHERE held.worker = excluded.worker OR held.expires_at < now()
    RETURNING fencing_token
  `);
  return row ? { workspaceId, worker, fencingToken: row.fencing_token } : undefined;
};

const WorkspaceIdRow = z.strictObject({ workspace_id: z.uuid() });

/** Keeps all leases of a worker for longer; answers the workspaces that it still has. */
export const renewLeases = async (db: CommonQueryMethods, worker: string): Promise<string[]> => {
  const rows = await db.any(sql.prepared('renew_leases', WorkspaceIdRow)`
    UPDATE workspace_lease SET expires_at = now() + make_interval(secs => ${LEASE_SECONDS})
    WHERE worker = ${worker} AND expires_at > now()
    RETURNING workspace_id
  `);
  return rows.map((row) => row.workspace_id);
};

/** Lets go of everything at once, so that another replica need not wait. */
export const releaseLeases = async (db: CommonQueryMethods, worker: string): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    UPDATE workspace_lease SET expires_at = now() - interval '1 second' WHERE worker = ${worker}
  `);
};

/**
 * Runs writes in a transaction that holds the lease.
 *
 * @throws LeaseLostError when it is another's by now, before anything is written
 */
export const withLease = <Result>(
  db: DatabasePool,
  lease: Lease,
  write: (transaction: CommonQueryMethods) => Promise<Result>,
): Promise<Result> =>
  db.transaction(async (transaction) => {
    // First, because the API may hold it for long: whoever waits for it must not hold the lease's row,
    // or the renewal of every lease waits too.
    await transaction.maybeOne(sql.prepared('lock_workspace', z.strictObject({ id: z.uuid() }))`
      SELECT id FROM workspace WHERE id = ${lease.workspaceId} FOR NO KEY UPDATE
    `);
    const held = await transaction.maybeOne(sql.prepared('check_lease', LeaseRow)`
      SELECT fencing_token FROM workspace_lease
      WHERE workspace_id = ${lease.workspaceId} AND worker = ${lease.worker}
        AND fencing_token = ${lease.fencingToken} AND expires_at > now()
      FOR SHARE
    `);
    if (!held) throw new LeaseLostError(`the lease of ${lease.workspaceId} is lost`);
    return write(transaction);
  });
