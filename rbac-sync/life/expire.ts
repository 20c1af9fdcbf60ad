/**
 * What was given for a time and what waited for its end. Reads ignore it from the moment on; here it
 * leaves the database, on the record, and the cluster is told. Any replica may do it: who comes second
 * finds nothing left.
 */
import type { CommonQueryMethods, DatabasePool, SerializableValue } from 'slonik';
import { MEMBERSHIP_RECORDS, raiseGeneration, recordAudit } from '#database/changes.ts';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import type { Logger } from '#runtime/log.ts';
import { deleteOldClusterWrites } from '../audit/audit-queries.ts';
import { deleteOldDrift } from '../drift/queries.ts';
import { deleteExpiredDiffs } from '../dry-run/queries.ts';
import {
  deleteEmptyOrganizations,
  deleteExpiredAssignments,
  deleteExpiredMemberships,
  deleteOldIdempotencyKeys,
  listWorkspacesWithExpired,
  lockWorkspace,
} from './life-queries.ts';

/** What {@link expire} needs. */
export type ExpireDeps = {
  readonly db: DatabasePool;
  readonly doorbell: Pick<Doorbell, 'ring'>;
  readonly log: Logger;
};

const AT_ONCE = 100;

/** Takes away what has expired by now, and organizations whose time is over and that are empty. */
export const expire = async ({ db, doorbell, log }: ExpireDeps): Promise<void> => {
  for (const workspaceId of await listWorkspacesWithExpired(db, AT_ONCE)) {
    try {
      const changed = await db.transaction((transaction) => expireIn(transaction, workspaceId));
      if (changed) await doorbell.ring(DOORBELL_SUBJECTS.workspaceChanged, workspaceId);
    } catch (error) {
      // It comes again at the next look, and holds up no other.
      log.warn({ err: error, workspace: workspaceId }, 'what has expired could not be taken away');
    }
  }
  await db.transaction(removeOrganizations);
  await deleteOldIdempotencyKeys(db);
  await deleteOldClusterWrites(db);
  await deleteExpiredDiffs(db);
  await deleteOldDrift(db);
};

/** Answers whether the cluster has something to lose. */
const expireIn = async (db: CommonQueryMethods, workspaceId: string): Promise<boolean> => {
  const organizationId = await lockWorkspace(db, workspaceId);
  if (organizationId === null) return false;
  const record = async (
    action: string,
    targetId: string,
    before: SerializableValue,
  ): Promise<void> => {
    const nobody = { actorId: null, requestId: null, ip: null };
    await recordAudit(db, { ...nobody, organizationId, workspaceId, action, targetId, before });
  };
  const assignments = await deleteExpiredAssignments(db, workspaceId);
  for (const { id, ...before } of assignments) await record('role-assignment.expire', id, before);
  for (const kind of ['person', 'serviceAccount'] as const) {
    const { action, member } = MEMBERSHIP_RECORDS[kind];
    for (const row of await deleteExpiredMemberships(db, workspaceId, kind)) {
      const before = { [member]: row.member_id, expires_at: row.expires_at };
      await record(`${action}.expire`, row.group_id, before);
    }
  }
  if (assignments.length > 0) await raiseGeneration(db, workspaceId);
  return assignments.length > 0;
};

const removeOrganizations = async (db: CommonQueryMethods): Promise<void> => {
  for (const { id, slug, name } of await deleteEmptyOrganizations(db)) {
    await recordAudit(db, {
      organizationId: id,
      workspaceId: null,
      actorId: null,
      action: 'organization.remove',
      targetId: id,
      before: { slug, name },
      requestId: null,
      ip: null,
    });
  }
};
