/** Keeps what clusters tell, and asks for a look where it may explain something. */
import type { CommonQueryMethods } from 'slonik';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import type { ClusterWrite } from './audit-events.ts';
import { hasUnexplainedDrift, insertClusterWrites } from './audit-queries.ts';

/** What {@link createAuditWriter} needs. */
export type AuditWriterDeps = {
  readonly db: CommonQueryMethods;
  readonly doorbell: Pick<Doorbell, 'ring'>;
};

/**
 * Any replica may take a batch, so that it is only kept here; the replica that looks after the workspace
 * joins it to the ledger, under its lease.
 */
export const createAuditWriter =
  ({ db, doorbell }: AuditWriterDeps) =>
  async (workspaceId: string, writes: readonly ClusterWrite[]): Promise<void> => {
    await insertClusterWrites(db, workspaceId, writes);
    if (await hasUnexplainedDrift(db, workspaceId)) {
      await doorbell.ring(DOORBELL_SUBJECTS.workspaceChanged, workspaceId);
    }
  };
