/**
 * A workspace that should not run: stopped while it is suspended or waits for its deletion, and taken
 * away when its grace period is over. Everything here can be cut short and done again.
 */
import type { DatabasePool } from 'slonik';
import { recordAudit } from '#database/changes.ts';
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import type { Logger } from '#runtime/log.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import {
  type OnProgress,
  type Provisioner,
  ProvisioningError,
} from '../provisioners/provisioner.ts';
import { type Lease, withLease } from '../queue/leases.ts';
import { deleteWorkspace, lockIfOver, lockOrganizationOf } from './life-queries.ts';

/** What it takes to stop or remove a workspace. */
export type CloseDeps = {
  readonly db: DatabasePool;
  /** What made the control plane; `undefined` when none was ever begun. */
  readonly provisioner: Provisioner | undefined;
  readonly clusters: Map<string, WorkspaceCluster>;
  readonly log: Logger;
  readonly lease: Lease;
  /** When the workspace's time was over. */
  readonly deleteAfter: Date | null;
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
  const { db, lease, log } = deps;
  const { workspaceId } = lease;
  const isOver = await withLease(db, lease, async (transaction) => {
    await lockOrganizationOf(transaction, workspaceId);
    return lockIfOver(transaction, workspaceId);
  });
  if (!isOver) return;
  await disconnect(deps);
  const leftBehind = await removeControlPlane(deps);
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
      ...(leftBehind !== undefined && { after: { left_behind: leftBehind } }),
      requestId: null,
      ip: null,
    });
  });
  log.info({ workspace: workspaceId }, 'a workspace is gone');
};

const GIVE_UP_MS = 7 * 86_400_000;

/**
 * Takes the control plane away. An attached cluster may be gone for good, or its owner may have taken our
 * rights: after a week of trying it is left to its owner.
 *
 * @returns what kept us from taking ours out, when it was left
 */
const removeControlPlane = async (deps: CloseDeps): Promise<string | undefined> => {
  const { provisioner, lease, deleteAfter, log, signal } = deps;
  const { workspaceId } = lease;
  try {
    await provisioner?.remove(workspaceId, { signal });
    return undefined;
  } catch (error) {
    const isOverdue = deleteAfter !== null && Date.now() - deleteAfter.getTime() > GIVE_UP_MS;
    const isOthers = provisioner?.name === ATTACHED_PROVISIONER;
    if (!(isOverdue && isOthers && error instanceof ProvisioningError)) throw error;
    log.warn({ workspace: workspaceId, reason: error.reason }, 'an attached cluster is given up');
    return error.message;
  }
};
