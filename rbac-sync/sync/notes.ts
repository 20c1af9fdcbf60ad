/** What a reader of a workspace should know of its cluster although nothing is wrong with it. Pure. */
import { KUBERNETES_PREFIX } from '#domain/group-name.ts';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { atMost } from '#domain/quantity.ts';
import type { ObservedObject } from '../cluster/object-store.ts';

const LONGEST_LIST = 10;

/** The first ten of a list, and how many there are besides. */
export const toList = (names: readonly string[]): string =>
  names.length > LONGEST_LIST
    ? `${names.slice(0, LONGEST_LIST).join(', ')} and ${names.length - LONGEST_LIST} more`
    : names.join(', ');

type Status = {
  readonly conditions?: readonly { type: string; status: string; message?: string }[];
  readonly hard?: Readonly<Record<string, string>>;
  readonly used?: Readonly<Record<string, string>>;
};

const statusOf = (object: ObservedObject): Status => (object['status'] ?? {}) as Status;

/** What keeps a namespace from going, in words of the namespace controller; empty: it has not said. */
const HOLDING = [
  'NamespaceFinalizersRemaining',
  'NamespaceContentRemaining',
  'NamespaceDeletionContentFailure',
  'NamespaceDeletionDiscoveryFailure',
];

/** That a namespace is still being deleted, and what holds it. */
export const describeLeaving = (namespace: ObservedObject): string => {
  const { name, finalizers } = namespace.metadata;
  const said = HOLDING.flatMap((type) =>
    (statusOf(namespace).conditions ?? [])
      .filter((each) => each.type === type && each.status === 'True')
      .flatMap(({ message = '' }) => message.trim().replace(/[.,]+$/, '') || []),
  );
  const own = Array.isArray(finalizers) && finalizers.length > 0 ? finalizers.join(', ') : '';
  const reasons = [...said, ...(own ? [`the namespace itself has the finalizers ${own}`] : [])];
  const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
  return `The namespace ${name} is still being deleted${why}`;
};

/** Namespaces of deleted projects that Kubernetes is not done with, by name. */
export const listLeaving = (
  namespaces: Iterable<ObservedObject>,
  desired: readonly ManagedObject[],
): ObservedObject[] => {
  const wanted = new Set(desired.map(toObjectKey));
  return [...namespaces]
    .filter((each) => each.metadata.deletionTimestamp !== undefined)
    .filter((each) => !wanted.has(toObjectKey(each)))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
};

/** Quotas that hold less than is used already: Kubernetes lets what runs run on, and takes nothing new. */
export const describeOveruse = (quotas: Iterable<ObservedObject>): string[] =>
  [...quotas].flatMap((quota) => {
    const { hard = {}, used = {} } = statusOf(quota);
    const beyond = Object.entries(used)
      .filter(([resource, amount]) => !atMost(amount, hard[resource] ?? amount))
      .map(([resource, amount]) => `${resource} ${amount} of ${hard[resource]}`)
      .sort();
    if (beyond.length === 0) return [];
    return [
      `The project ${quota.metadata.namespace} uses more than its quota, and gets no more until it uses less: ${toList(beyond)}`,
    ];
  });

/** The RoleBindings in projects that tenants made: theirs to make, and worth knowing. */
export const describeForeign = (
  bindings: Iterable<ObservedObject>,
  desired: readonly ManagedObject[],
): string[] => {
  const projects = new Set(
    desired.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
  );
  const names = Array.from(bindings, ({ metadata }) => metadata)
    .filter(({ namespace }) => projects.has(namespace ?? ''))
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort();
  return names.length === 0 ? [] : [`RoleBindings that are not managed here: ${toList(names)}`];
};

type Binding = {
  readonly subjects?: readonly { readonly name: string }[];
  readonly roleRef?: { readonly name: string };
};

/** The ClusterRoleBindings that give something to people or groups of the workspace past the platform. */
export const describeForeignClusterWide = (bindings: Iterable<ObservedObject>): string[] => {
  const names = [...bindings]
    .filter((binding) =>
      ((binding as Binding).subjects ?? []).some(({ name }) => name.startsWith(KUBERNETES_PREFIX)),
    )
    .map((binding) => `${binding.metadata.name} (${(binding as Binding).roleRef?.name})`)
    .sort();
  return names.length === 0
    ? []
    : [
        `ClusterRoleBindings that are not managed here and give to people of the workspace in the whole cluster: ${toList(names)}`,
      ];
};

/** The API groups that every Kubernetes of today has, as far as project roles name them. */
const BUILT_IN: ReadonlySet<string> = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'networking.k8s.io',
  'policy',
  'resource.k8s.io',
  'storage.k8s.io',
]);

/** API groups that roles name and that only a custom resource could bring, with one of these roles. */
export const listCustomGroups = (
  desired: readonly ManagedObject[],
): ReadonlyMap<string, string> => {
  const groups = new Map<string, string>();
  for (const object of desired) {
    if (object.kind !== 'Role') continue;
    const { namespace, name } = object.metadata;
    for (const group of object.rules.flatMap(({ apiGroups }) => apiGroups)) {
      if (!BUILT_IN.has(group) && !groups.has(group)) groups.set(group, `${namespace}/${name}`);
    }
  }
  return groups;
};

/** Groups that the cluster does not serve: what roles say of them holds as soon as it does. */
export const describeUnknownGroups = (
  groups: ReadonlyMap<string, string>,
  served: ReadonlySet<string>,
): string[] => {
  const unknown = [...groups]
    .filter(([group]) => !served.has(group))
    .map(([group, role]) => `${group} (role ${role})`)
    .sort();
  if (unknown.length === 0) return [];
  return [
    `Roles name API groups that this cluster does not serve, and will hold for them as soon as it does: ${toList(unknown)}`,
  ];
};
