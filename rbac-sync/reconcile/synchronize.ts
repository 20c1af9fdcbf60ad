/**
 * The part of a look that concerns what is in the cluster: its walls, the drift, and the difference to what
 * should be there.
 */
import { desiredState } from '#domain/desired-state.ts';
import type { Access, AccessRequest } from '../bootstrap/access-cluster.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import { listBoundGroups, othersBindings, saveBoundGroups } from '../drift/bound-groups.ts';
import type { Decision } from '../drift/decide.ts';
import { describeDrift } from '../drift/drift-statements.ts';
import { lookForDrift, noteSettled } from '../drift/ledger.ts';
import type { OnProgress } from '../provisioners/provisioner.ts';
import { LeaseLostError, withLease } from '../queue/leases.ts';
import type { Changes } from '../sync/diff.ts';
import { syncCluster } from '../sync/sync-cluster.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import type { Look, LookContext } from './look.ts';
import { PolicyError } from './policy-error.ts';
import { guardPolicies } from './policy-guard.ts';
import { notDrifted, provisioned, synced, wasSynced } from './statements.ts';

/**
 * Policies and presets first. With a wall down, that is what is to be told, whatever else is wrong.
 *
 * @returns the namespaces that are still being deleted
 * @throws PolicyError, and what syncCluster throws
 */
export const synchronize = async (
  context: LookContext,
  look: Look,
  { request, access }: { readonly request: AccessRequest; readonly access: Access },
): Promise<readonly string[]> => {
  const { statements } = look;
  const { cluster, decisions, fault } = await guardPolicies(context, request, access);
  if (fault && statements.some(({ type }) => type === 'Provisioned')) {
    statements.push(provisioned(request.plane.notes, false));
  }
  const { onProgress } = request;
  try {
    const leaving = await bringInLine(context, look, { cluster, onProgress, decisions });
    if (fault) throw fault;
    return leaving;
  } catch (error) {
    if (!fault || error === fault || error instanceof LeaseLostError) throw error;
    throw new PolicyError(fault.reason, fault.message, { cause: error });
  }
};

type Ready = {
  readonly cluster: WorkspaceCluster;
  readonly onProgress: OnProgress;
  /** About policies and presets. */
  readonly decisions: readonly Decision[];
};

/** Answers the namespaces that are still being deleted. */
const bringInLine = async (
  context: LookContext,
  look: Look,
  { cluster, onProgress, decisions: before }: Ready,
): Promise<readonly string[]> => {
  const { workspace, signal, metrics, db } = context;
  const { statements } = look;
  const started = performance.now();
  const provenBefore = isProven(workspace);
  const desired = desiredState(workspace.state);
  const driftContext = { db, metrics, workspace, cluster, desired, provenBefore, before };
  const drift = await lookForDrift(driftContext);
  look.drift = drift;
  const found = describeDrift(drift.decisions, drift.known);
  statements.push(...(found ? [found] : notDrifted(workspace.conditions, new Date())));
  await noteBoundGroups(context, cluster, drift.withheld);
  const { changes, notes, leaving } = await syncCluster({
    cluster,
    desired,
    deleted: workspace.deletedNamespaces,
    metrics,
    provenBefore,
    withheld: drift.withheld,
    signal,
    onChanges: ({ revoke, apply, prune }) => {
      const removals = revoke.remove.length + prune.length;
      const applies = revoke.apply.length + apply.length;
      return onProgress(90, `applying ${applies} and deleting ${removals} objects`);
    },
  });
  noteSettled(drift);
  statements.push(synced(notes, drift.withheld.size));
  logChange(context, changes, started);
  return leaving;
};

/** Before anything can fail, and only what is news: most looks find the same bindings as the one before. */
const noteBoundGroups = async (
  { db, lease, workspace }: LookContext,
  cluster: WorkspaceCluster,
  withheld: ReadonlySet<string>,
): Promise<void> => {
  const names = listBoundGroups(othersBindings(cluster, withheld));
  const list = names.join();
  if (cluster.boundGroups === list) return;
  await withLease(db, lease, (transaction) => saveBoundGroups(transaction, workspace.id, names));
  cluster.boundGroups = list;
};

/** One line for each generation that is in force, and for each repair. */
const logChange = (
  { log, workspace }: LookContext,
  { revoke, apply, prune }: Changes,
  started: number,
): void => {
  const { id, generation, observedGeneration } = workspace;
  const applied = revoke.apply.length + apply.length;
  const deleted = revoke.remove.length + prune.length;
  if (generation === observedGeneration && applied + deleted === 0) return;
  const ms = Math.round(performance.now() - started);
  log.info({ workspace: id, generation, applied, deleted, ms }, 'the cluster is as it should be');
};

/** Whether a look at this very generation has left everything verified. */
const isProven = ({ generation, observedGeneration, conditions }: Workspace): boolean =>
  generation === observedGeneration && wasSynced(conditions);
