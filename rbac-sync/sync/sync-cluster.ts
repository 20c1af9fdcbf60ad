/** Brings one cluster from what it holds to what it should, and proves that it took effect. */
import * as z from 'zod';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import type { SyncMetrics } from '../metrics.ts';
import { type ApplyFailure, applyChanges } from './apply.ts';
import { ApplyError, TerminatingNamespaceError } from './apply-error.ts';
import { type Changes, diff, isEmpty } from './diff.ts';
import { planFence, untilReplaced } from './fence.ts';
import {
  describeForeign,
  describeForeignClusterWide,
  describeLeaving,
  describeOveruse,
  describeUnknownGroups,
  listCustomGroups,
  listLeaving,
} from './notes.ts';
import { runVerification } from './run-verification.ts';
import { joinVerifications, planVerification } from './verify.ts';

/** What {@link syncCluster} needs. */
export type SyncOptions = {
  readonly cluster: WorkspaceCluster;
  readonly desired: readonly ManagedObject[];
  /** Names of namespaces whose projects were deleted and may be there still. */
  readonly deleted?: ReadonlySet<string>;
  readonly metrics: SyncMetrics;
  /** Whether this desired state was seen in force before, by whoever looked after the cluster then. */
  readonly provenBefore: boolean;
  /** Keys of objects that are left as they are, whatever that is. */
  readonly withheld?: ReadonlySet<string>;
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

/**
 * @throws ApplyError when some of it could not be written: the rest is written and in force;
 * VerificationError when something is not seen in force
 */
export const syncCluster = async (asked: SyncOptions): Promise<SyncOutcome> => {
  const { cluster, withheld = new Set() } = asked;
  const isOurs = (object: ManagedObject | ObservedObject) => !withheld.has(toObjectKey(object));
  // What is left alone counts as somebody else's: not compared, not proven, and named where it gives a right.
  const desired = withheld.size === 0 ? asked.desired : asked.desired.filter(isOurs);
  const options = { ...asked, desired };
  const observed = Object.values(cluster.stores)
    .flatMap((store) => [...store.values()])
    .filter(isOurs);
  const changes = diff(desired, observed, options.deleted);
  const unproven = noteUnproven(options, observed, changes);
  const failures: ApplyFailure[] = [];
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
  failures.push(...terminatingFailures(cluster, changes));
  const failed = new Set(failures.map(({ namespace }) => namespace));
  const { provable, rest } = splitUnproven(unproven, failed);
  const allowed = await verify(options, observed, provable);
  cluster.unproven = rest;
  if (failures.length > 0) throw new ApplyError(failures);
  const leaving = listLeaving(cluster.stores.Namespace.values(), desired);
  const notes = [
    ...allowed,
    ...leaving.map(describeLeaving),
    ...describeOveruse(cluster.stores.ResourceQuota.values()),
    ...describeUnknownGroups(...(await compareGroups(options))),
    ...describeForeign(cluster.foreign.RoleBinding.values(), desired),
    ...describeForeignClusterWide(cluster.foreign.ClusterRoleBinding.values()),
  ];
  return { changes, notes, leaving: leaving.map(({ metadata }) => metadata.name) };
};

/** The API groups that only a custom resource brings, wanted and served. */
const compareGroups = async ({
  cluster,
  desired,
}: SyncOptions): Promise<[ReadonlyMap<string, string>, ReadonlySet<string>]> => {
  const wanted = listCustomGroups(desired);
  if (wanted.size === 0) return [wanted, new Set()];
  const { groups } = ApiGroups.parse(await cluster.client.request('/apis'));
  return [wanted, new Set(groups.map(({ name }) => name))];
};

const ApiGroups = z.object({ groups: z.array(z.object({ name: z.string() })) });

const terminatingFailures = (cluster: WorkspaceCluster, { terminating }: Changes): ApplyFailure[] =>
  terminating.map((namespace) => {
    const held = [...cluster.stores.Namespace.values()].find(
      ({ metadata }) => metadata.name === namespace && metadata.deletionTimestamp,
    );
    const why = held ? describeLeaving(held) : `The namespace ${namespace} is still being deleted`;
    const message = `${why}. The project of that name waits until it is gone`;
    return { namespace, cause: new TerminatingNamespaceError(message) };
  });

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
  } finally {
    stop();
  }
};
