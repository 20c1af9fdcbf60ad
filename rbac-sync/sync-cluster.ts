/** Brings one cluster from what it holds to what it should, and proves that it took effect. */
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { applyChanges } from './apply.ts';
import { type Changes, diff, isEmpty } from './diff.ts';
import type { SyncMetrics } from './metrics.ts';
import type { ObservedObject } from './object-store.ts';
import { runVerification } from './run-verification.ts';
import { planVerification } from './verify.ts';
import type { WorkspaceCluster } from './workspace-clusters.ts';

/** What {@link syncCluster} needs. */
export type SyncOptions = {
  readonly cluster: WorkspaceCluster;
  readonly desired: readonly ManagedObject[];
  readonly metrics: SyncMetrics;
  readonly signal?: AbortSignal | undefined;
  /** Told before the first write, if there is any. */
  readonly onChanges: (changes: Changes) => Promise<void>;
};

/** What came of it. */
export type SyncOutcome = {
  readonly changes: Changes;
  /** What a reader of the workspace should know, in sentences. */
  readonly notes: readonly string[];
};

/** A change could not be made. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
}

/** A change was made and is not seen in force. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/** @throws ApplyError, VerificationError; everything that could be done has been done then */
export const syncCluster = async (options: SyncOptions): Promise<SyncOutcome> => {
  const { cluster, desired } = options;
  const observed = Object.values(cluster.stores).flatMap((store) => [...store.values()]);
  const changes = diff(desired, observed);
  if (!isEmpty(changes)) {
    await options.onChanges(changes);
    await applyChanges({ ...cluster, metrics: options.metrics }, changes).catch((cause: Error) => {
      throw new ApplyError(cause.message, { cause });
    });
  }
  if (changes.terminating.length > 0) {
    const names = changes.terminating.join(', ');
    throw new ApplyError(`namespaces of that name are still being deleted: ${names}`);
  }
  const allowed = await verify(options, observed, changes);
  return { changes, notes: [...allowed, ...describeForeign(cluster, desired)] };
};

const verify = async (
  { cluster, desired, metrics, signal }: SyncOptions,
  observed: readonly ObservedObject[],
  { revoke, apply, prune }: Changes,
): Promise<string[]> => {
  const touched = [...revoke.remove, ...revoke.apply, ...apply, ...prune];
  const changed = new Set(touched.map(toObjectKey));
  const { probes, unsettled } = planVerification({
    before: observed,
    after: desired,
    changed,
    clusterRoles: cluster.clusterRoles,
  });
  if (probes.length === 0) return [];
  const stop = metrics.verificationDuration.startTimer();
  try {
    const ours = new Set(desired.map(toObjectKey));
    return await runVerification({ client: cluster.client, unsettled, ours, signal }, probes);
  } catch (error) {
    throw new VerificationError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  } finally {
    stop();
  }
};

const LONGEST_LIST = 10;

/** The RoleBindings in projects that tenants made: theirs to make, and worth knowing. */
const describeForeign = (
  { foreignBindings }: WorkspaceCluster,
  desired: readonly ManagedObject[],
): string[] => {
  const projects = new Set(
    desired.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
  );
  const names = Array.from(foreignBindings.values(), ({ metadata }) => metadata)
    .filter(({ namespace }) => projects.has(namespace ?? ''))
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort();
  if (names.length === 0) return [];
  const list = names.slice(0, LONGEST_LIST).join(', ');
  const more = names.length > LONGEST_LIST ? ` and ${names.length - LONGEST_LIST} more` : '';
  return [`RoleBindings that are not managed here: ${list}${more}`];
};
