/**
 * One look at one workspace: whatever happened, read what should be, see what is, change the
 * difference, prove it, and only then say so. Called again and again; does nothing when all is well.
 */
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import { accessCluster } from '../bootstrap/access-cluster.ts';
import { untilRetry } from '../drift/ledger.ts';
import { answerDiffs } from '../dry-run/answer-diffs.ts';
import { removeWorkspace, stopControlPlane } from '../life/close-workspace.ts';
import {
  type ControlPlane,
  type OnProgress,
  type Provisioner,
  ProvisioningError,
} from '../provisioners/provisioner.ts';
import { acquireLease, LeaseLostError, withLease } from '../queue/leases.ts';
import { saveProvisioner } from '../workspace/cluster-queries.ts';
import { loadWorkspace } from '../workspace/workspace-queries.ts';
import type { Look, LookContext, ReconcileDeps } from './look.ts';
import { progressReporter, recordFault, recordObserved } from './record-look.ts';
import { provisioned, stopped, toFault } from './statements.ts';
import { synchronize } from './synchronize.ts';

/** Whether the workspace is ours: not when another replica looks after it, nor when it is gone. */
export type Reconciled = {
  readonly ours: boolean;
  /** What went wrong is on record, on the workspace and its tasks and in the log. */
  readonly failed?: true;
  /** When to look again, when that is sooner than usual. */
  readonly againInMs?: number | undefined;
};

/**
 * @param workspaceId UUID
 * @throws when the database doesn't say what should be
 */
export const reconcileWorkspace = async (
  deps: ReconcileDeps,
  workspaceId: string,
): Promise<Reconciled> => {
  const lease = await acquireLease(deps.db, workspaceId, deps.worker);
  const workspace = lease && (await loadWorkspace(deps.db, workspaceId));
  if (!workspace) return { ours: false };
  const context: LookContext = { ...deps, lease, workspace };
  // Now, because what ends must also go where something else fails.
  if (workspace.nextExpiryInMs !== null) deps.wakeIn(workspaceId, workspace.nextExpiryInMs);
  const stop = deps.metrics.reconcileDuration.startTimer();
  const look: Look = { statements: [], drift: undefined };
  try {
    // First, because a look puts right what they ask about.
    await answerDiffs(context);
    const againInMs = await reconcile(context, look);
    deps.metrics.notInForce.delete(workspaceId);
    stop({ result: 'success' });
    return { ours: true, againInMs };
  } catch (error) {
    stop({ result: 'error' });
    // At shutdown nothing is wrong with the workspace, and without the lease it isn't ours to judge.
    if (deps.signal.aborted || error instanceof LeaseLostError) return { ours: false };
    await recordFault(context, look, error);
    return { ours: true, failed: true };
  }
};

const reconcile = async (context: LookContext, look: Look): Promise<number | undefined> => {
  const { workspace } = context;
  if (workspace.life === 'active') return run(context, look);
  const { cluster } = workspace;
  const provisioner = cluster ? context.provisioners.get(cluster.provisioner) : undefined;
  const closing = { provisioner, deleteAfter: workspace.deleteAfter };
  context.trust.forget(workspace.id);
  if (workspace.life === 'over') {
    await removeWorkspace({ ...context, ...closing });
    return undefined;
  }
  await stopControlPlane({ ...context, ...closing }, progressReporter(context));
  look.statements.push(...stopped(workspace));
  await recordObserved(context, look, []);
  return undefined;
};

const run = async (context: LookContext, look: Look): Promise<number | undefined> => {
  const { statements } = look;
  const { workspace, lease } = context;
  const onProgress = progressReporter(context);
  const provisioner = await chooseProvisioner(context);
  const plane = await ensure(context, look, { provisioner, onProgress });
  const request = { workspace, plane, lease, onProgress };
  const access = await accessCluster(context, request);
  statements.push(provisioned(plane.notes));
  // Beside the synchronization: neither waits for the other.
  const looking = context.trust.look(workspace, plane);
  try {
    const leaving = await synchronize(context, look, { request, access });
    const { statement, againInMs } = await looking;
    const all = { ...look, statements: [...statements, statement] };
    await recordObserved(context, all, leaving);
    return earliest(againInMs, untilRetry(look.drift, new Date()));
  } finally {
    statements.push((await looking).statement);
  }
};

type Provisioning = { readonly provisioner: Provisioner; readonly onProgress: OnProgress };

/** A host that says no holds up no change of rights: a cluster that goes on is looked at all the same. */
const ensure = async (
  context: LookContext,
  look: Look,
  { provisioner, onProgress }: Provisioning,
): Promise<ControlPlane> => {
  const { workspace, signal } = context;
  const spec = { workspaceId: workspace.id, plan: workspace.hostPlan };
  try {
    return await provisioner.ensure(spec, { onProgress, signal });
  } catch (error) {
    const plane = isGoingOn(error) ? lastKnownPlane(context, error) : undefined;
    if (plane && !signal.aborted) await synchronizeOnRecord(context, look, { plane, onProgress });
    throw error;
  }
};

const isGoingOn = (error: unknown): boolean => error instanceof ProvisioningError && error.goesOn;

/**
 * Where the control plane was when its provisioner last found it. An attached one only as long as we are
 * connected: its address was judged then, and what its name leads to by now was not.
 */
const lastKnownPlane = (
  { clusters, workspace: { id, cluster } }: LookContext,
  reason: unknown,
): ControlPlane | undefined => {
  const bootstrapCredential = () => Promise.reject(reason);
  const open = clusters.get(id)?.access();
  if (open) {
    const { server, certificateAuthority, address } = open;
    return { server, certificateAuthority, address, bootstrapCredential };
  }
  const { server, certificate_authority: certificateAuthority, provisioner } = cluster ?? {};
  if (!server || !certificateAuthority || provisioner === ATTACHED_PROVISIONER) return undefined;
  return { server, certificateAuthority, bootstrapCredential };
};

const synchronizeOnRecord = async (
  context: LookContext,
  look: Look,
  { plane, onProgress }: { readonly plane: ControlPlane; readonly onProgress: OnProgress },
): Promise<void> => {
  const { workspace, lease } = context;
  try {
    const request = { workspace, plane, lease, onProgress };
    const access = await accessCluster(context, request);
    await synchronize(context, look, { request, access });
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    // What the host said is told as what is wrong, and this besides.
    if (!isGoingOn(error)) look.statements.push(toFault([provisioned()], error));
  }
};

const earliest = (...times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((ms) => ms !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
};

/** What makes the control plane; recorded before it makes anything, so that it is found again. */
const chooseProvisioner = async ({
  db,
  lease,
  provisioners,
  workspace,
}: LookContext): Promise<Provisioner> => {
  const { cluster, provisioner: wanted } = workspace;
  const name = provisioners.nameFor({ recorded: cluster?.provisioner ?? null, wanted });
  const provisioner = provisioners.get(name);
  if (!cluster) {
    await withLease(db, lease, (transaction) => saveProvisioner(transaction, workspace.id, name));
  }
  return provisioner;
};
