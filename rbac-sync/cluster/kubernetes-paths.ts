/** Where the API server keeps each kind that we manage. */
import type { ManagedKind } from '#domain/kubernetes-objects.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Base path and plural of a kind. */
const RESOURCES: Record<ManagedKind, { readonly base: string; readonly plural: string }> = {
  Namespace: { base: '/api/v1', plural: 'namespaces' },
  ResourceQuota: { base: '/api/v1', plural: 'resourcequotas' },
  LimitRange: { base: '/api/v1', plural: 'limitranges' },
  NetworkPolicy: { base: '/apis/networking.k8s.io/v1', plural: 'networkpolicies' },
  Role: { base: RBAC, plural: 'roles' },
  RoleBinding: { base: RBAC, plural: 'rolebindings' },
  ClusterRoleBinding: { base: RBAC, plural: 'clusterrolebindings' },
};

/** The kinds in the order in which they must be applied: what others need comes first. */
export const MANAGED_KINDS = Object.keys(RESOURCES) as ManagedKind[];

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** What we look at and never write. */
const WATCHED = {
  ClusterRole: `${RBAC}/clusterroles`,
  ValidatingAdmissionPolicy: `${ADMISSION}/validatingadmissionpolicies`,
  ValidatingAdmissionPolicyBinding: `${ADMISSION}/validatingadmissionpolicybindings`,
} as const;

/** A kind that has a watch. */
export type WatchedKind = ManagedKind | keyof typeof WATCHED;

const isOnlyWatched = (kind: WatchedKind): kind is keyof typeof WATCHED =>
  Object.hasOwn(WATCHED, kind);

/** The path of a kind's collection over all namespaces. */
export const toCollectionPath = (kind: WatchedKind): string =>
  isOnlyWatched(kind) ? WATCHED[kind] : `${RESOURCES[kind].base}/${RESOURCES[kind].plural}`;

type Located = {
  readonly kind: ManagedKind;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
};

/** The path at which an object is created. */
export const toCreationPath = ({ kind, metadata: { namespace } }: Located): string => {
  const { base, plural } = RESOURCES[kind];
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${base}${scope}/${plural}`;
};

/** The path of one object. */
export const toObjectPath = (object: Located): string =>
  `${toCreationPath(object)}/${encodeURIComponent(object.metadata.name)}`;

/** The version that a kind's objects have in `apiVersion`. */
export const toApiVersion = (kind: ManagedKind): string =>
  RESOURCES[kind].base.replace(/^\/apis?\//, '');
