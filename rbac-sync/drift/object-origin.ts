/** Where an object in a cluster comes from: Kubernetes itself, our manifests, or somebody. Pure. */
import * as z from 'zod';
import { toObjectKey } from '#domain/kubernetes-objects.ts';
import { readManifests } from '../bootstrap/manifests.ts';
import { FIELD_MANAGER, INSTALLER, PROBER, PROBER_BINDING } from '../cluster/identities.ts';
import type { ObservedObject } from '../cluster/object-store.ts';

const ManagedField = z.looseObject({
  manager: z.string(),
  time: z.coerce.date().optional(),
  subresource: z.string().optional(),
});
type ManagedField = z.infer<typeof ManagedField>;

/** Those whose writes nobody needs to be told of. */
const OWN_MANAGERS: readonly string[] = [FIELD_MANAGER, INSTALLER];
const KUBERNETES_MANAGERS = [
  'kube-apiserver',
  'kube-controller-manager',
  'clusterrole-aggregation-controller',
  // Distributions that are one program.
  'k3s',
  'k0s',
];

/** Who manages fields of an object besides us and Kubernetes, the last to write first. */
export const foreignManagers = (object: ObservedObject | undefined): readonly ManagedField[] => {
  const fields = z.array(ManagedField).safeParse(object?.metadata['managedFields']);
  return (fields.data ?? [])
    .filter(({ manager, subresource }) => subresource === undefined && !isKnown(manager))
    .sort((a, b) => (b.time?.getTime() ?? 0) - (a.time?.getTime() ?? 0));
};

/** As many as a row of the ledger holds, each of at most so many characters. */
const LIMITS = { managers: 8, characters: 128 } as const;

/** Who has changed an object past us, and when its last change was, as the ledger has it. */
export const describeAuthors = (
  object: ObservedObject | undefined,
): { readonly managers: readonly string[]; readonly changedAt: Date | undefined } => {
  const fields = foreignManagers(object);
  const names = new Set(fields.map(({ manager }) => manager.slice(0, LIMITS.characters)));
  return { managers: [...names].slice(0, LIMITS.managers), changedAt: fields[0]?.time };
};

const isKnown = (manager: string): boolean =>
  OWN_MANAGERS.includes(manager) || KUBERNETES_MANAGERS.includes(manager);

const BUILT_IN_NAMESPACES = ['kube-system', 'kube-public'];
const BUILT_IN_NAMES = ['cluster-admin', 'admin', 'edit', 'view'];

/**
 * Whether Kubernetes made it at its start and nobody has changed it since. The label alone says nothing, and
 * neither do its name and managers: whoever may make a RoleBinding somewhere may choose them.
 */
export const isBuiltIn = (object: ObservedObject): boolean =>
  object.metadata.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults' &&
  (object.metadata.namespace === undefined
    ? object.metadata.name.startsWith('system:') || BUILT_IN_NAMES.includes(object.metadata.name)
    : BUILT_IN_NAMESPACES.includes(object.metadata.namespace)) &&
  foreignManagers(object).length === 0;

let manifestKeys: ReadonlySet<string> | undefined;

/** Whether an object of this kind and name is one of our manifests', or the binding of a probe that goes on. */
export const isManifest = (object: ObservedObject): boolean => {
  manifestKeys ??= new Set(readManifests().map(toObjectKey));
  return manifestKeys.has(toObjectKey(object)) || isProbing(object);
};

/** By its subject too: the name alone would hide whoever else is bound under it. */
const isProbing = (object: ObservedObject): boolean => {
  if (toObjectKey(object) !== `ClusterRoleBinding//${PROBER_BINDING}`) return false;
  const subjects = (object['subjects'] ?? []) as { kind?: string; name?: string }[];
  return subjects.every(({ kind, name }) => kind === 'User' && name === PROBER);
};

/**
 * The object without what nobody will look at, before it is kept: there are a hundred and more built-in
 * ones in every cluster.
 */
export const compactBuiltIn = (object: ObservedObject): ObservedObject =>
  isBuiltIn(object) && !isAggregated(object)
    ? {
        kind: object.kind,
        metadata: {
          name: object.metadata.name,
          ...(object.metadata.namespace && { namespace: object.metadata.namespace }),
          uid: object.metadata.uid,
          resourceVersion: object.metadata.resourceVersion,
          labels: { [BUILT_IN]: 'true' },
        },
      }
    : object;

/** What stands in for a built-in object is known by this; labels in a cluster can't have such a name. */
const BUILT_IN = ' built-in';

/** Whether it was made by Kubernetes and kept as no more than its name. */
export const isCompact = (object: ObservedObject): boolean =>
  object.metadata.labels?.[BUILT_IN] === 'true';

/** The roles that people are bound to: their rules say what a binding opens. */
const isAggregated = ({ kind, metadata }: ObservedObject): boolean =>
  kind === 'ClusterRole' && BUILT_IN_NAMES.includes(metadata.name);
