/**
 * The writes of a change, in stages: each waits for the one before it, within one they go in any order.
 * Pure; apply.ts makes them.
 */
import { type ManagedKind, type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import type { Changes } from './diff.ts';

/** One write. */
export type Write =
  | { readonly operation: 'apply'; readonly object: ManagedObject }
  | { readonly operation: 'delete'; readonly object: ObservedObject };

/** Before `fenced` whoever writes makes sure that the stages so far are in force: it takes away. */
export type Stages = {
  readonly open: readonly (readonly Write[])[];
  readonly fenced: readonly (readonly Write[])[];
};

const NAMESPACES: readonly ManagedKind[] = ['Namespace'];
const CONTENT: readonly ManagedKind[] = ['ResourceQuota', 'LimitRange', 'NetworkPolicy', 'Role'];
const BINDINGS: readonly ManagedKind[] = ['RoleBinding', 'ClusterRoleBinding'];

/**
 * What only takes rights away goes first; then what is new, after what it needs; then objects lose what
 * others have replaced, and last goes what nobody wants.
 */
export const planStages = ({ revoke, apply, steps, prune }: Changes): Stages => {
  const stepsOf = (object: ManagedObject) => steps.get(toObjectKey(object)) ?? { expand: object };
  const take = (step: 'expand' | 'contract', kinds: readonly ManagedKind[]) =>
    apply
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap((object) => stepsOf(object)[step] ?? [])
      .map(toApply);
  const isNamespace = ({ kind }: ObservedObject) => kind === 'Namespace';
  return {
    open: [
      revoke.remove.map(toDelete),
      [...revoke.apply, ...[...steps.values()].flatMap((each) => each.revoke ?? [])].map(toApply),
      take('expand', NAMESPACES),
      take('expand', CONTENT),
      take('expand', BINDINGS),
    ],
    fenced: [
      take('contract', BINDINGS),
      take('contract', CONTENT),
      prune.filter((object) => !isNamespace(object)).map(toDelete),
      prune.filter(isNamespace).map(toDelete),
    ],
  };
};

const toApply = (object: ManagedObject): Write => ({ operation: 'apply', object });
const toDelete = (object: ObservedObject): Write => ({ operation: 'delete', object });
