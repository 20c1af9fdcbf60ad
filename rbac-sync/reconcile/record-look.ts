/** Writes down what came of a look: conditions, tasks, episodes and the drift ledger, under the lease. */
import { DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import { describeDrift } from '../drift/drift-statements.ts';
import { hasDriftToRecord, recordDrift, withFailure } from '../drift/ledger.ts';
import { cancelClusterTasks } from '../life/life-queries.ts';
import type { OnProgress } from '../provisioners/provisioner.ts';
import { withLease } from '../queue/leases.ts';
import { ApplyError } from '../sync/apply-error.ts';
import { VerificationError } from '../sync/run-verification.ts';
import { withStatements } from '../workspace/conditions.ts';
import {
  finishTasks,
  reportFault,
  reportProgress,
  saveObserved,
} from '../workspace/task-queries.ts';
import type { Look, LookContext } from './look.ts';
import { keepEpisode, recordEpisode } from './proof-episodes.ts';
import { doubted, NOT_IN_FORCE, toFault, wasSynced } from './statements.ts';

/** Tells the tasks that wait for this generation; with none waiting there is nobody to tell. */
export const progressReporter = (context: LookContext): OnProgress => {
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

/**
 * Says what is so now, in the conditions, the tasks and the ledger.
 *
 * @param leaving namespaces that are still being deleted: the tasks that delete them go on
 */
export const recordObserved = async (
  context: LookContext,
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

/** Says what went wrong, and logs it; what could be found out all the same is said as well. Throws nothing. */
export const recordFault = async (
  context: LookContext,
  look: Look,
  error: unknown,
): Promise<void> => {
  const { db, doorbell, lease, workspace, log, metrics } = context;
  const { id: workspaceId, generation, observedGeneration } = workspace;
  const fault = toFault(look.statements, error);
  metrics.faults.inc({ reason: fault.reason });
  log.warn(
    { err: error, workspace: workspaceId, generation, reason: fault.reason, fault: fault.message },
    'a look ended in a fault and will be done again',
  );
  const isSynced = wasSynced(look.statements);
  // What could not be proven was put back all the same: whoever undoes it at once is counted as who fights.
  const isWritten = isSynced || error instanceof VerificationError;
  const drift = look.drift && (isWritten ? look.drift : withFailure(look.drift, fault.message));
  const found = drift && describeDrift(drift.decisions, drift.known);
  const statements = [
    ...look.statements,
    ...(fault.type === 'Provisioned' ? doubted(workspace.conditions, look.statements) : []),
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
    // The first error is the one to act on.
    log.warn({ err: failure, workspace: workspaceId }, 'a fault could not be recorded');
  }
};
