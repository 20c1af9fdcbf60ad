/**
 * A workspace that should not run: stopped while it is suspended or waits for its deletion, and taken
 * away when its grace period is over. Everything here can be cut short and done again.
 */
import type { DatabasePool } from 'slonik';
import { recordAudit } from '#database/changes.ts';
import type { Logger } from '#runtime/log.ts';
import { type Lease, withLease } from './leases.ts';
import { deleteWorkspace, lockIfOver, lockOrganizationOf } from './life-queries.ts';
import type { OnProgress, Provisioner } from './provisioners/provisioner.ts';
import type { WorkspaceCluster } from './workspace-clusters.ts';

/** What it takes to stop or remove a workspace. */
export type CloseDeps = {
  readonly db: DatabasePool;
  /** What made the control plane; `undefined` when none was ever begun. */
  readonly provisioner: Provisioner | undefined;
  readonly clusters: Map<string, WorkspaceCluster>;
  readonly log: Logger;
  readonly lease: Lease;
  /** At shutdown nobody waits for a host: whoever has the lease next goes on. */
  readonly signal: AbortSignal;
};

/** Stops the control plane and lets go of our connection to it. */
export const stopControlPlane = async (deps: CloseDeps, onProgress: OnProgress): Promise<void> => {
  const { workspaceId } = deps.lease;
  await disconnect(deps);
  await onProgress(50, 'stopping the control plane');
  await deps.provisioner?.suspend(workspaceId, { signal: deps.signal });
};

/** The watches go first: they would try to reach what is being stopped. */
const disconnect = async ({ clusters, lease }: CloseDeps): Promise<void> => {
  const cluster = clusters.get(lease.workspaceId);
  clusters.delete(lease.workspaceId);
  await cluster?.[Symbol.asyncDispose]();
};

/**
 * Takes a workspace away: its control plane with all data, then its row with everything in it. In
 * between it can no longer be restored, because its time is over by the clock that a restoration asks.
 */
export const removeWorkspace = async (deps: CloseDeps): Promise<void> => {
  const { db, lease, provisioner, log, signal } = deps;
  const { workspaceId } = lease;
  const isOver = await withLease(db, lease, async (transaction) => {
    await lockOrganizationOf(transaction, workspaceId);
    return lockIfOver(transaction, workspaceId);
  });
  if (!isOver) return;
  await disconnect(deps);
  await provisioner?.remove(workspaceId, { signal });
  await withLease(db, lease, async (transaction) => {
    await lockOrganizationOf(transaction, workspaceId);
    const gone = await deleteWorkspace(transaction, workspaceId);
    if (!gone) return;
    await recordAudit(transaction, {
      organizationId: gone.organization_id,
      workspaceId,
      actorId: null,
      action: 'workspace.remove',
      targetId: workspaceId,
      before: { slug: gone.slug, name: gone.name },
      requestId: null,
      ip: null,
    });
  });
  log.info({ workspace: workspaceId }, 'a workspace is gone');
};
