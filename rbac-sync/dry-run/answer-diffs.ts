/**
 * Answers what a look at a workspace would change, before the look changes it. It decides as a look
 * does, connects with what is on record, and writes to the cluster through a client that can't. A diff
 * that is cut short stays open, and whoever has the lease next answers it.
 */
import type { DatabasePool } from 'slonik';
import type { ClusterDiff } from '#domain/cluster-diff.ts';
import { desiredState } from '#domain/desired-state.ts';
import type { ManagedObject } from '#domain/kubernetes-objects.ts';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import type { Encryption } from '#runtime/encryption.ts';
import type { Logger } from '#runtime/log.ts';
import { MissingTokenError, openKnownCluster } from '../bootstrap/access-cluster.ts';
import { isConnectionError, isUnauthorized, KubernetesError } from '../cluster/kubernetes-error.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import { type Lease, withLease } from '../queue/leases.ts';
import { type Changes, diff } from '../sync/diff.ts';
import {
  describeForeign,
  describeForeignClusterWide,
  describeLeaving,
  describeOveruse,
  listLeaving,
} from '../sync/notes.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import { type DiffClient, toLimitedClient } from './dry-run-client.ts';
import { type Observation, observeCluster, observeNothing } from './observe-cluster.ts';
import {
  beginDiffs,
  type DiffEnd,
  deleteFormerDiffs,
  finishDiffs,
  listOpenDiffs,
  saveDiffResult,
} from './queries.ts';
import { limitObjects } from './shown-object.ts';
import { tryChanges } from './try-changes.ts';

/** What {@link answerDiffs} needs. */
export type AnswerDeps = {
  readonly db: DatabasePool;
  readonly doorbell: Pick<Doorbell, 'ring'>;
  readonly encryption: Encryption;
  readonly clusters: Map<string, WorkspaceCluster>;
  readonly log: Logger;
  readonly lease: Lease;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
  /** How long an answer may take, in milliseconds. */
  readonly longestMs?: number;
};

/** How many answers a workspace keeps. */
const KEPT = 10;

/** The look waits for the answer, and what it takes away must not wait for long. */
const LONGEST_MS = 20_000;

/**
 * Ends all open diffs of a workspace. A diff that can't be made is told so, and is no fault of the
 * workspace's.
 *
 * @throws LeaseLostError, and at shutdown, with the diffs still open
 */
export const answerDiffs = async (deps: AnswerDeps): Promise<void> => {
  const { db, lease, workspace, doorbell } = deps;
  const open = await listOpenDiffs(db, workspace.id);
  if (open.length === 0) return;
  if (workspace.life === 'active') {
    await withLease(db, lease, (transaction) => beginDiffs(transaction, open));
    await doorbell.ring(DOORBELL_SUBJECTS.workspaceObserved, workspace.id);
    await answer(deps, open);
  } else {
    const error = 'The workspace was suspended or deleted before. Ask again once it is resumed.';
    await withLease(db, lease, (transaction) =>
      finishDiffs(transaction, open, { state: 'cancelled', error }),
    );
  }
  await doorbell.ring(DOORBELL_SUBJECTS.workspaceObserved, workspace.id);
};

const answer = async (deps: AnswerDeps, open: readonly string[]): Promise<void> => {
  const { db, lease, workspace } = deps;
  const outcome = await compareOrFail(deps);
  await withLease(db, lease, async (transaction) => {
    if ('state' in outcome) return finishDiffs(transaction, open, outcome);
    await saveDiffResult(transaction, open, outcome);
    await finishDiffs(transaction, open, { state: 'succeeded', error: null });
    await deleteFormerDiffs(transaction, workspace.id, KEPT);
  });
};

const compareOrFail = async (deps: AnswerDeps): Promise<ClusterDiff | DiffEnd> => {
  try {
    return await compare(deps);
  } catch (error) {
    if (deps.signal.aborted) throw error;
    deps.log.warn({ err: error, workspace: deps.workspace.id }, 'a diff could not be made');
    return { state: 'failed', error: explain(error) };
  }
};

const compare = async (deps: AnswerDeps): Promise<ClusterDiff> => {
  const client = openKnownCluster(deps, deps.workspace);
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(deps.longestMs ?? LONGEST_MS)]);
  try {
    return await compareWith(client && toLimitedClient(client, signal), deps.workspace);
  } finally {
    await client?.[Symbol.asyncDispose]();
  }
};

const compareWith = async (
  client: DiffClient | undefined,
  workspace: Workspace,
): Promise<ClusterDiff> => {
  const desired = desiredState(workspace.state);
  const observation = client ? await observeCluster(client) : observeNothing();
  const { stores } = observation;
  const observed = Object.values(stores).flatMap((store) => [...store.values()]);
  const changes = diff(desired, observed, workspace.deletedNamespaces);
  const tried = await tryChanges({ client, stores }, changes);
  const { objects, omitted } = limitObjects(tried.objects);
  const notes = client
    ? describe(observation, changes, desired)
    : ['There is no cluster yet; all of this is made in it when there is'];
  return {
    generation: workspace.generation,
    objects,
    omitted: omitted + tried.omitted,
    notes: notes.map((note) => `${note}.`),
  };
};

const describe = (
  { stores, foreignBindings, foreignClusterBindings }: Observation,
  { terminating }: Changes,
  desired: readonly ManagedObject[],
): string[] => [
  ...terminating.map(
    (name) => `The namespace ${name} is still being deleted; its objects are made when it is gone`,
  ),
  ...listLeaving(stores.Namespace.values(), desired).map(describeLeaving),
  ...describeOveruse(stores.ResourceQuota.values()),
  ...describeForeign(foreignBindings, desired),
  ...describeForeignClusterWide(foreignClusterBindings),
];

const explain = (error: unknown): string => {
  if (error instanceof MissingTokenError || isUnauthorized(error)) {
    return 'rbac-sync is not connected to the cluster just now; its next look connects. Ask again.';
  }
  if (error instanceof Error && error.name === 'TimeoutError') {
    return 'The API server took too long to answer all that was asked. Ask again later.';
  }
  if (error instanceof KubernetesError) return `The API server could not say: ${error.message}`;
  if (isConnectionError(error)) {
    return 'The API server of the workspace can’t be reached just now; its conditions say more. Ask again later.';
  }
  return 'A fault on our side; the log of rbac-sync says more.';
};
