/**
 * One look at one workspace: whatever happened, read what should be, see what is, change the
 * difference, prove it, and only then say so. Called again and again; does nothing when all is well.
 */
import type { DatabasePool } from 'slonik';
import { desiredState } from '#domain/desired-state.ts';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import {
  type Access,
  type AccessDeps,
  type AccessRequest,
  accessCluster,
} from './access-cluster.ts';
import { ApplyError } from './apply-error.ts';
import { removeWorkspace, stopControlPlane } from './close-workspace.ts';
import { type Statement, withStatements } from './conditions.ts';
import type { Changes } from './diff.ts';
import type { Decision } from './drift/decide.ts';
import { describeDrift } from './drift/drift-statements.ts';
import {
  type DriftLook,
  hasDriftToRecord,
  lookForDrift,
  noteSettled,
  recordDrift,
  untilRetry,
  withFailure,
} from './drift/ledger.ts';
import { answerDiffs } from './dry-run/answer-diffs.ts';
import { acquireLease, type Lease, LeaseLostError, withLease } from './leases.ts';
import { cancelClusterTasks } from './life-queries.ts';
import type { SyncMetrics } from './metrics.ts';
import { PolicyError } from './policy-error.ts';
import { guardPolicies } from './policy-guard.ts';
import { keepEpisode, recordEpisode } from './proof-episodes.ts';
import {
  type ControlPlane,
  type OnProgress,
  type Provisioner,
  ProvisioningError,
} from './provisioners/provisioner.ts';
import type { ProvisionerRegistry } from './provisioners/registry.ts';
import {
  finishTasks,
  loadWorkspace,
  reportFault,
  reportProgress,
  saveObserved,
  saveProvisioner,
  type Workspace,
} from './queries.ts';
import {
  NOT_IN_FORCE,
  notDrifted,
  provisioned,
  stopped,
  synced,
  toFault,
  wasSynced,
} from './statements.ts';
import { syncCluster } from './sync-cluster.ts';
import type { TrustWatch } from './trust/trust-watch.ts';
import type { WorkspaceCluster } from './workspace-clusters.ts';

/** What {@link reconcileWorkspace} needs. */
export type ReconcileDeps = AccessDeps & {
  readonly db: DatabasePool;
  readonly doorbell: Pick<Doorbell, 'ring'>;
  readonly provisioners: ProvisionerRegistry;
  readonly metrics: SyncMetrics;
  readonly trust: TrustWatch;
  /** Asks for a look after so many milliseconds, unless one comes sooner. */
  readonly wakeIn: (workspaceId: string, ms: number) => void;
  /** This replica's name, different from any other's, also of its own earlier life. */
  readonly worker: string;
  readonly signal: AbortSignal;
};

/** Whether the workspace is ours: not when another replica looks after it, nor when it is gone. */
export type Reconciled = {
  readonly ours: boolean;
  /** When to look again, when that is sooner than usual. */
  readonly againInMs?: number | undefined;
};

/**
 * @param workspaceId UUID
 * @throws what went wrong, after recording it on the workspace and its tasks
 */
export const reconcileWorkspace = async (
  deps: ReconcileDeps,
  workspaceId: string,
): Promise<Reconciled> => {
  const lease = await acquireLease(deps.db, workspaceId, deps.worker);
  const workspace = lease && (await loadWorkspace(deps.db, workspaceId));
  if (!workspace) return { ours: false };
  const context: Context = { ...deps, lease, workspace };
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
    throw error;
  }
};

type Context = ReconcileDeps & { readonly lease: Lease; readonly workspace: Workspace };

/** What is known of a workspace so far. */
type Look = { readonly statements: Statement[]; drift: DriftLook | undefined };

const reconcile = async (context: Context, look: Look): Promise<number | undefined> => {
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

const run = async (context: Context, look: Look): Promise<number | undefined> => {
  const { statements } = look;
  const { workspace, lease } = context;
  const onProgress = progressReporter(context);
  const provisioner = await chooseProvisioner(context);
  const plane = await ensure(context, look, { provisioner, onProgress });
  const request = { workspace, plane, lease, onProgress };
  const access = await accessCluster(context, request);
  statements.push(provisioned(plane.notes));
  // Beside the synchronization: neither waits for the other.
  const looking = context.trust.look(workspace.id, plane, workspace.conditions);
  try {
    const leaving = await synchronizeGuarded(context, look, { request, access });
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
  context: Context,
  look: Look,
  { provisioner, onProgress }: Provisioning,
): Promise<ControlPlane> => {
  const { workspace, signal } = context;
  const spec = { workspaceId: workspace.id, plan: workspace.hostPlan };
  try {
    return await provisioner.ensure(spec, { onProgress, signal });
  } catch (error) {
    const plane = isGoingOn(error) ? planeOnRecord(workspace, error) : undefined;
    if (plane && !signal.aborted) await synchronizeOnRecord(context, look, { plane, onProgress });
    throw error;
  }
};

const isGoingOn = (error: unknown): boolean => error instanceof ProvisioningError && error.goesOn;

/** Where the control plane was when its provisioner last found it. */
const planeOnRecord = ({ cluster }: Workspace, reason: unknown): ControlPlane | undefined => {
  const { server, certificate_authority: certificateAuthority } = cluster ?? {};
  if (!server || !certificateAuthority) return undefined;
  return { server, certificateAuthority, bootstrapCredential: () => Promise.reject(reason) };
};

const synchronizeOnRecord = async (
  context: Context,
  look: Look,
  { plane, onProgress }: { readonly plane: ControlPlane; readonly onProgress: OnProgress },
): Promise<void> => {
  const { workspace, lease } = context;
  try {
    const request = { workspace, plane, lease, onProgress };
    const access = await accessCluster(context, request);
    await synchronizeGuarded(context, look, { request, access });
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

/** Policies and presets first. With a wall down, that is what is to be told, whatever else is wrong. */
const synchronizeGuarded = async (
  context: Context,
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
    const leaving = await synchronize(context, look, { cluster, onProgress, decisions });
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
const synchronize = async (
  context: Context,
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

/** One line for each generation that is in force, and for each repair. */
const logChange = (
  { log, workspace }: Context,
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

/** What makes the control plane; recorded before it makes anything, so that it is found again. */
const chooseProvisioner = async ({
  db,
  lease,
  provisioners,
  workspace,
}: Context): Promise<Provisioner> => {
  const { cluster, provisioner: wanted } = workspace;
  const name = provisioners.nameFor({ recorded: cluster?.provisioner ?? null, wanted });
  const provisioner = provisioners.get(name);
  if (!cluster) {
    await withLease(db, lease, (transaction) => saveProvisioner(transaction, workspace.id, name));
  }
  return provisioner;
};

/** Whether a look at this very generation has left everything verified. */
const isProven = ({ generation, observedGeneration, conditions }: Workspace): boolean =>
  generation === observedGeneration && wasSynced(conditions);

/** Tells the tasks that wait for this generation; with none waiting there is nobody to tell. */
const progressReporter = (context: Context): OnProgress => {
  const { db, doorbell, lease, workspace } = context;
  const { id: workspaceId, generation, observedGeneration } = workspace;
  return async (progress, step) => {
    if (generation === observedGeneration) return;
    await withLease(db, lease, (transaction) =>
      reportProgress(transaction, { workspaceId, generation }, { progress, step }),
    );
    await doorbell.ring(DOORBELL_SUBJECTS.workspaceObserved, workspaceId);
  };
};

/** @param leaving namespaces that are still being deleted: the tasks that delete them go on */
const recordObserved = async (
  context: Context,
  { statements, drift }: Look,
  leaving: readonly string[],
): Promise<void> => {
  const { db, doorbell, lease, workspace } = context;
  const { id: workspaceId, generation, observedGeneration } = workspace;
  const conditions = withStatements(workspace.conditions, statements, new Date());
  const news = JSON.stringify(conditions) !== JSON.stringify(workspace.conditions);
  const toRecord = drift && hasDriftToRecord(drift) ? drift : undefined;
  if (generation === observedGeneration && !news && !toRecord) return;
  const again = await withLease(db, lease, async (transaction) => {
    // Only then, so that what changes nothing writes over nothing.
    if (generation !== observedGeneration || news) {
      await saveObserved(transaction, { workspaceId, generation }, conditions);
    }
    await recordEpisode(transaction, workspace, statements);
    if (workspace.life !== 'active') {
      await cancelClusterTasks(transaction, { workspaceId, generation });
    }
    await finishTasks(transaction, { workspaceId, generation }, leaving);
    return toRecord ? recordDrift(transaction, toRecord) : false;
  });
  await doorbell.ring(DOORBELL_SUBJECTS.workspaceObserved, workspaceId);
  if (again) context.onChange(workspaceId);
};

const recordFault = async (context: Context, look: Look, error: unknown): Promise<void> => {
  const { db, doorbell, lease, workspace, log, metrics } = context;
  const { id: workspaceId, generation, observedGeneration } = workspace;
  const fault = toFault(look.statements, error);
  metrics.faults.inc({ reason: fault.reason });
  log.warn(
    { workspace: workspaceId, generation, reason: fault.reason, fault: fault.message },
    'a look ended in a fault',
  );
  const isSynced = wasSynced(look.statements);
  const drift = look.drift && (isSynced ? look.drift : withFailure(look.drift, fault.message));
  const found = drift && describeDrift(drift.decisions, drift.known);
  const statements = [
    ...look.statements,
    ...(found ? [found] : []),
    keepEpisode(workspace.conditions, fault),
  ];
  if (statements.some(({ reason }) => reason === NOT_IN_FORCE)) {
    metrics.notInForce.add(workspaceId);
  }
  const conditions = withStatements(workspace.conditions, statements, new Date());
  try {
    await withLease(db, lease, async (transaction) => {
      await saveObserved(transaction, { workspaceId, generation: observedGeneration }, conditions);
      await recordEpisode(transaction, workspace, statements);
      if (error instanceof ApplyError) {
        // What concerns the whole cluster is in force only when everything is.
        const unsettled = [undefined, ...error.namespaces];
        if (!error.namespaces.includes(undefined)) {
          await finishTasks(transaction, { workspaceId, generation }, unsettled);
        }
      }
      await reportFault(transaction, { workspaceId, generation }, fault.message);
      if (drift) await recordDrift(transaction, drift);
    });
    await doorbell.ring(DOORBELL_SUBJECTS.workspaceObserved, workspaceId);
  } catch (failure) {
    // The first error is the one to act on, and it is thrown on.
    log.warn({ err: failure, workspace: workspaceId }, 'a fault could not be recorded');
  }
};
