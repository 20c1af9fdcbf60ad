/** Brings one cluster from what it holds to what it should, and proves that it took effect. */
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { type ApplyFailure, applyChanges } from './apply.ts';
import { type Changes, diff, isEmpty } from './diff.ts';
import { planFence, untilReplaced } from './fence.ts';
import type { SyncMetrics } from './metrics.ts';
import { describeForeign, describeLeaving, listLeaving } from './notes.ts';
import type { ObservedObject } from './object-store.ts';
import { runVerification } from './run-verification.ts';
import { joinVerifications, planVerification } from './verify.ts';
import type { WorkspaceCluster } from './workspace-clusters.ts';

/** What {@link syncCluster} needs. */
export type SyncOptions = {
  readonly cluster: WorkspaceCluster;
  readonly desired: readonly ManagedObject[];
  readonly metrics: SyncMetrics;
  /** Whether this desired state was seen in force before, by whoever looked after the cluster then. */
  readonly provenBefore: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told before the first write, if there is any. */
  readonly onChanges: (changes: Changes) => Promise<void>;
};

/** What came of it. */
export type SyncOutcome = {
  readonly changes: Changes;
  /** What a reader of the workspace should know, in sentences. */
  readonly notes: readonly string[];
  /** Namespaces that are wanted no more and not gone yet. */
  readonly leaving: readonly string[];
};

/** Some changes could not be made; all others were, and are in force. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
  /** Where; `undefined` when it concerns the whole cluster. */
  readonly namespaces: readonly (string | undefined)[];
  constructor(failures: readonly ApplyFailure[]) {
    const [first] = failures.map(({ cause }) =>
      cause instanceof Error ? cause.message : String(cause),
    );
    super(failures.length === 1 ? first : `${first} (and ${failures.length - 1} more)`, {
      cause: new AggregateError(failures.map(({ cause }) => cause)),
    });
    this.namespaces = failures.map(({ namespace }) => namespace);
  }
}

/** A change was made and is not seen in force. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/**
 * @throws ApplyError when some of it could not be written: the rest is written and in force;
 * VerificationError when something is not seen in force
 */
export const syncCluster = async (options: SyncOptions): Promise<SyncOutcome> => {
  const { cluster, desired } = options;
  const observed = Object.values(cluster.stores).flatMap((store) => [...store.values()]);
  const changes = diff(desired, observed);
  const unproven = noteUnproven(options, observed, changes);
  const failures = terminatingFailures(changes);
  if (!isEmpty(changes)) {
    await options.onChanges(changes);
    const { client, stores, clusterRoles } = cluster;
    const replacements = planFence({ observed, desired, changes, clusterRoles });
    failures.push(
      ...(await applyChanges({ client, stores, metrics: options.metrics }, changes, () =>
        untilReplaced({ client, signal: options.signal }, replacements),
      )),
    );
  }
  const failed = new Set(failures.map(({ namespace }) => namespace));
  const { provable, rest } = splitUnproven(unproven, failed);
  const allowed = await verify(options, observed, provable);
  cluster.unproven = rest;
  if (failures.length > 0) throw new ApplyError(failures);
  const leaving = listLeaving(cluster.stores.Namespace.values(), desired);
  const notes = [
    ...allowed,
    ...describeLeaving(leaving),
    ...describeForeign(cluster.foreignBindings.values(), desired),
  ];
  return { changes, notes, leaving };
};

const terminatingFailures = ({ terminating }: Changes): ApplyFailure[] =>
  terminating.map((namespace) => ({
    namespace,
    cause: new Error(`a namespace of that name is still being deleted: ${namespace}`),
  }));

/** What can be proven now, and what has to wait because its namespace could not be brought up to date. */
const splitUnproven = (
  unproven: Unproven,
  failed: ReadonlySet<string | undefined>,
): { provable: Unproven; rest: Unproven } => {
  const waits = ([key]: [string, unknown]) => failed.has(key.split('/')[1] || undefined);
  return {
    provable: new Map([...unproven].filter((entry) => !waits(entry))),
    rest: new Map([...unproven].filter(waits)),
  };
};

type Unproven = Map<string, ObservedObject | undefined>;

/**
 * Notes before the first write what will have to be proven: if it comes to nothing in between, the
 * next look finds nothing to change and still knows. After a new connection every grant is to be
 * proven, unless those before us have said that all of them were.
 */
const noteUnproven = (
  { cluster, desired, provenBefore }: SyncOptions,
  observed: readonly ObservedObject[],
  { revoke, apply, prune }: Changes,
): Unproven => {
  const before = new Map(observed.map((object) => [toObjectKey(object), object]));
  cluster.unproven ??= new Map(
    provenBefore
      ? []
      : desired.filter((each) => 'roleRef' in each).map((each) => [toObjectKey(each), undefined]),
  );
  for (const object of [...revoke.remove, ...revoke.apply, ...apply, ...prune]) {
    const key = toObjectKey(object);
    if (!cluster.unproven.has(key)) cluster.unproven.set(key, before.get(key));
  }
  return cluster.unproven;
};

const verify = async (
  { cluster, desired, metrics, signal }: SyncOptions,
  observed: readonly ObservedObject[],
  unproven: Unproven,
): Promise<string[]> => {
  if (unproven.size === 0) return [];
  const before = new Map(observed.map((object) => [toObjectKey(object), object]));
  for (const [key, object] of unproven) {
    if (object) before.set(key, object);
    else before.delete(key);
  }
  const plan = (state: Iterable<ObservedObject>) =>
    planVerification({
      before: [...state],
      after: desired,
      changed: new Set(unproven.keys()),
      clusterRoles: cluster.clusterRoles,
    });
  // Against what was last proven, and against what this look found: a right that was given, not
  // proven and taken away again is in neither the first state nor the desired one.
  const { probes, unsettled } = joinVerifications([plan(before.values()), plan(observed)]);
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
