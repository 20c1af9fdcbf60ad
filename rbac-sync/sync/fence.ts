/**
 * Waits, before a right goes that another grant replaces, until the API server knows the other: its
 * authorizer watches Roles, RoleBindings and ClusterRoleBindings apart, and may see a deletion before
 * the Role that was written earlier. Asked for a right that both give, it names one of the bindings,
 * which one is chance; as soon as it names one that stays, the replacement is in force.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { forEachConcurrently } from '../queue/concurrent.ts';
import type { Changes } from './diff.ts';
import { type Access, allows, listAccesses, type Rule } from './rules.ts';
import { review, toBindingKey } from './run-verification.ts';
import { type Grant, indexGrants } from './verify.ts';

/** A right that one grant loses and another gives. */
export type Replacement = {
  /** As Kubernetes sees it, with the prefix. */
  readonly group: string;
  readonly namespace: string | undefined;
  readonly access: Access;
  /** Keys of the bindings that are about to go or to give less. */
  readonly going: ReadonlySet<string>;
};

/** What {@link planFence} compares. */
export type FenceInput = {
  readonly observed: readonly ObservedObject[];
  readonly desired: readonly ManagedObject[];
  readonly changes: Changes;
  /** The rules of the ClusterRoles that bindings refer to, by name. */
  readonly clusterRoles: ReadonlyMap<string, readonly Rule[]>;
};

/** For each grant that goes and each that replaces some of it, one right that both give. Pure. */
export const planFence = ({
  observed,
  desired,
  changes,
  clusterRoles,
}: FenceInput): Replacement[] => {
  const contracted = [...changes.steps].filter(([, { contract }]) => contract).map(([key]) => key);
  const lose = new Set([...changes.prune.map(toObjectKey), ...contracted]);
  if (lose.size === 0) return [];
  const before = indexGrants(observed, clusterRoles).byKey;
  const after = indexGrants(desired, clusterRoles).byKey;
  const gain = new Set(changes.apply.map(toObjectKey));
  const going = select(before, lose);
  const coming = select(after, gain);
  const keys = new Set(going.keys());
  return [...going].flatMap(([key, old]) => {
    const staying = new Set(lose.has(old.role) ? [] : after.get(key)?.groups);
    const groups = old.groups.filter((group) => !staying.has(group));
    return [...coming].flatMap(([other, now]) =>
      keys.has(other) ? [] : findReplacement({ ...old, groups }, now, keys),
    );
  });
};

/** The bindings that are among the keys themselves or by their Role. */
const select = (
  grants: ReadonlyMap<string, Grant>,
  keys: ReadonlySet<string>,
): ReadonlyMap<string, Grant> =>
  new Map([...grants].filter(([key, { role }]) => keys.has(key) || keys.has(role)));

const findReplacement = (
  old: Grant,
  now: Grant,
  going: ReadonlySet<string>,
): Replacement | never[] => {
  const apart = old.namespace !== now.namespace;
  if (apart && old.namespace !== undefined && now.namespace !== undefined) return [];
  const group = old.groups.find((each) => now.groups.includes(each));
  const access = [...listAccesses(old.rules)].find((each) => allows(now.rules, each));
  if (group === undefined || access === undefined) return [];
  return { group, namespace: old.namespace ?? now.namespace, access, going };
};

const IN_FLIGHT = 32;
/** A cache that lags longer than this is a fault of its own; a removal doesn't wait for it. */
const DEADLINE_MS = 500;

/** Resolves when every replacement is in force, or half a second later. */
export const untilReplaced = async (
  context: { readonly client: KubernetesClient; readonly signal?: AbortSignal | undefined },
  replacements: readonly Replacement[],
): Promise<void> => {
  const deadline = Date.now() + DEADLINE_MS;
  // What fails here holds up no removal, and fails again in the proof that follows the change.
  await forEachConcurrently(replacements, IN_FLIGHT, async (replacement) => {
    while (Date.now() < deadline) {
      const { allowed, reason } = await review(context, replacement);
      const binding = allowed ? toBindingKey(reason ?? '') : undefined;
      if (binding !== undefined && !replacement.going.has(binding)) return;
      await delay(2, undefined, { signal: context.signal });
    }
  });
};
