/** What to do to a cluster so that it holds what it should: decided here, done in apply.ts. Pure. */
import { type ManagedObject, type RoleBinding, toObjectKey } from '#domain/kubernetes-objects.ts';
import { hasRoleRef, isAsDesired } from './equality.ts';
import type { ObservedObject } from './object-store.ts';

/** The changes, in the order in which they are made. */
export type Changes = {
  /** Bindings that only take rights away: they go first and wait for nothing. */
  readonly revoke: {
    readonly remove: readonly ObservedObject[];
    readonly apply: readonly ManagedObject[];
  };
  /** In the order of the desired state: what others need comes first. */
  readonly apply: readonly ManagedObject[];
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
 */
export const diff = (
  desired: readonly ManagedObject[],
  observed: readonly ObservedObject[],
): Changes => {
  const present = new Map(observed.map((object) => [toObjectKey(object), object]));
  const wanted = new Map(desired.map((object) => [toObjectKey(object), object]));
  const terminating = observed
    .filter((object) => isTerminatingNamespace(object) && wanted.has(toObjectKey(object)))
    .map((object) => object.metadata.name);
  const blocked = new Set(terminating);
  const reachable = desired.filter((object) => !blocked.has(namespaceOf(object) ?? ''));
  const changed = reachable.filter((object) => {
    const existing = present.get(toObjectKey(object));
    return !existing || !isAsDesired(object, existing);
  });
  const shrinking = changed.filter((object) => onlyShrinks(object, present));
  const stale = observed.filter((object) => isStale(object, wanted));
  const gains = collectGains(changed, present);
  const revoked = stale.filter((object) => isPureRemoval(object, gains));
  return {
    revoke: { remove: revoked, apply: shrinking },
    apply: without(changed, shrinking),
    prune: orderPrune(without(stale, revoked)),
    terminating,
  };
};

const without = <Item>(items: readonly Item[], others: readonly Item[]): Item[] => {
  const excluded = new Set(others);
  return items.filter((item) => !excluded.has(item));
};

const namespaceOf = (object: ManagedObject): string | undefined =>
  object.kind === 'Namespace' ? object.metadata.name : object.metadata.namespace;

const isTerminatingNamespace = ({ kind, metadata }: ObservedObject): boolean =>
  kind === 'Namespace' && metadata.deletionTimestamp !== undefined;

type Binding = Extract<ManagedObject, { roleRef: unknown }>;

const isBinding = (object: ManagedObject): object is Binding => 'roleRef' in object;

const isBindingKind = (kind: string): boolean =>
  kind === 'RoleBinding' || kind === 'ClusterRoleBinding';

/** Not wanted, or a binding whose roleRef is another: it has to go before it can be made anew. */
const isStale = (object: ObservedObject, wanted: ReadonlyMap<string, ManagedObject>): boolean => {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  const desired = wanted.get(toObjectKey(object));
  return !desired || (isBinding(desired) && !hasRoleRef(desired, object));
};

/** The names of an observed binding's subjects. */
const subjectsOf = (object: ObservedObject | undefined): string[] =>
  ((object?.['subjects'] ?? []) as RoleBinding['subjects']).map(({ name }) => name);

/** A binding whose new subjects are all among the old ones. */
const onlyShrinks = (
  object: ManagedObject,
  present: ReadonlyMap<string, ObservedObject>,
): boolean => {
  const existing = present.get(toObjectKey(object));
  if (!existing || !isBinding(object) || !hasRoleRef(object, existing)) return false;
  const before = new Set(subjectsOf(existing));
  return object.subjects.every(({ name }) => before.has(name));
};

const toGain = (namespace: string | undefined, group: string) => `${namespace ?? ''}/${group}`;

/** Who gets something new where: what they lose there in the same change is replaced, not removed. */
const collectGains = (
  changed: readonly ManagedObject[],
  present: ReadonlyMap<string, ObservedObject>,
): ReadonlySet<string> => {
  const gains = new Set<string>();
  for (const object of changed.filter(isBinding)) {
    const existing = present.get(toObjectKey(object));
    // One that has to be made anew gives nothing until the old one is gone.
    if (existing && !hasRoleRef(object, existing)) continue;
    const before = new Set(subjectsOf(existing));
    for (const { name } of object.subjects) {
      if (!before.has(name)) gains.add(toGain(object.metadata.namespace, name));
    }
  }
  return gains;
};

const isPureRemoval = (object: ObservedObject, gains: ReadonlySet<string>): boolean =>
  isBindingKind(object.kind) &&
  !subjectsOf(object).some((name) => gains.has(toGain(object.metadata.namespace, name)));

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
