/** What to do to a cluster so that it holds what it should: decided here, done in apply.ts. Pure. */
import {
  type ManagedObject,
  namespaceOf,
  PROJECT_LABEL,
  toObjectKey,
} from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { hasRoleRef, isAsDesired } from './equality.ts';
import {
  collectGains,
  type Gains,
  isBinding,
  isBindingKind,
  isReplaced,
  planRemoval,
  planSteps,
  type Steps,
  subjectsOf,
} from './replacement.ts';

/** The changes, in the order in which they are made. */
export type Changes = {
  /** What only takes rights away: it goes first and waits for nothing. */
  readonly revoke: {
    readonly remove: readonly ObservedObject[];
    readonly apply: readonly ManagedObject[];
  };
  /** In the order of the desired state: what others need comes first. */
  readonly apply: readonly ManagedObject[];
  /** By key, the writes of objects of `apply` and `prune` that take more than one, or wait. */
  readonly steps: ReadonlyMap<string, Steps>;
  /** What nobody wants any more; a namespace comes after what is in it. */
  readonly prune: readonly ObservedObject[];
  /** Wanted namespaces that are still being deleted: nothing can be made in them yet. */
  readonly terminating: readonly string[];
};

/** Whether there is nothing to do. */
export const isEmpty = ({ revoke, apply, prune }: Changes): boolean =>
  revoke.remove.length + revoke.apply.length + apply.length + prune.length === 0;

/**
 * Compares by meaning. Everything observed carries our label; whatever else is in the cluster is not
 * ours to touch.
 *
 * @param deleted names of namespaces whose projects were deleted: one that is there still is not the
 * next project's of that name, and goes first with everything in it
 */
export const diff = (
  desired: readonly ManagedObject[],
  observed: readonly ObservedObject[],
  deleted: ReadonlySet<string> = new Set(),
): Changes => {
  const present = new Map(observed.map((object) => [toObjectKey(object), object]));
  const wanted = new Map(desired.map((object) => [toObjectKey(object), object]));
  const left = new Set(
    observed.filter((each) => isLeftBehind(each, wanted.get(toObjectKey(each)), deleted)),
  );
  const terminating = observed
    .filter((each) => isTerminatingNamespace(each) && wanted.has(toObjectKey(each)))
    .concat([...left])
    .map(({ metadata }) => metadata.name);
  const blocked = new Set(terminating);
  const reachable = desired.filter((object) => !blocked.has(namespaceOf(object) ?? ''));
  const changed = reachable.filter((object) => {
    const existing = present.get(toObjectKey(object));
    return !existing || !isAsDesired(object, existing);
  });
  const gains = collectGains(changed, desired, present);
  const steps = new Map(
    changed.map((object) => [toObjectKey(object), planSteps(object, { present, gains })]),
  );
  const shrinking = changed.filter((object) => isSingle(steps.get(toObjectKey(object)), 'revoke'));
  const stale = observed.filter((object) => left.has(object) || isStale(object, wanted));
  const revoked = stale.filter(
    (object) => isToReplace(object, wanted) || isPureRemoval(object, gains),
  );
  const pruned = without(stale, revoked);
  return {
    revoke: { remove: revoked, apply: shrinking },
    apply: without(changed, shrinking),
    steps: new Map([
      ...[...steps].filter(([, each]) => !isSingle(each, 'expand') && !isSingle(each, 'revoke')),
      ...pruned.flatMap((object) => planRemoval(object, gains)),
    ]),
    prune: orderPrune(pruned),
    terminating,
  };
};

const isSingle = (steps: Steps | undefined, step: keyof Steps): boolean =>
  steps?.[step] !== undefined && Object.keys(steps).length === 1;

const without = <Item>(items: readonly Item[], others: readonly Item[]): Item[] => {
  const excluded = new Set(others);
  return items.filter((item) => !excluded.has(item));
};

const isTerminatingNamespace = ({ kind, metadata }: ObservedObject): boolean =>
  kind === 'Namespace' && metadata.deletionTimestamp !== undefined;

/** A namespace of a deleted project whose name another has by now. */
const isLeftBehind = (
  { kind, metadata }: ObservedObject,
  wanted: ManagedObject | undefined,
  deleted: ReadonlySet<string>,
): boolean => {
  const owner = metadata.labels?.[PROJECT_LABEL];
  return (
    kind === 'Namespace' &&
    metadata.deletionTimestamp === undefined &&
    wanted !== undefined &&
    owner !== undefined &&
    owner !== wanted.metadata.labels[PROJECT_LABEL] &&
    deleted.has(metadata.name)
  );
};

/** A binding that stands in the way of the one that is wanted. */
const isToReplace = (
  object: ObservedObject,
  wanted: ReadonlyMap<string, ManagedObject>,
): boolean => {
  const desired = wanted.get(toObjectKey(object));
  return desired !== undefined && isBinding(desired);
};

/** Not wanted, or a binding whose roleRef is another: it has to go before it can be made anew. */
const isStale = (object: ObservedObject, wanted: ReadonlyMap<string, ManagedObject>): boolean => {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  const desired = wanted.get(toObjectKey(object));
  return !desired || (isBinding(desired) && !hasRoleRef(desired, object));
};

const isPureRemoval = (object: ObservedObject, gains: Gains): boolean =>
  isBindingKind(object.kind) &&
  !subjectsOf(object).some((group) =>
    isReplaced(gains, {
      group,
      scope: object.metadata.namespace ?? '',
      source: toObjectKey(object),
    }),
  );

/** Namespaces last, and nothing in them one by one: they take their content along. */
const orderPrune = (stale: readonly ObservedObject[]): ObservedObject[] => {
  const namespaces = stale.filter(({ kind }) => kind === 'Namespace');
  const going = new Set(namespaces.map(({ metadata }) => metadata.name));
  const single = stale.filter(
    ({ kind, metadata }) =>
      kind !== 'Namespace' && (isBindingKind(kind) || !going.has(metadata.namespace ?? '')),
  );
  return [
    ...single.filter(({ kind }) => isBindingKind(kind)),
    ...single.filter(({ kind }) => !isBindingKind(kind)),
    ...namespaces,
  ];
};
