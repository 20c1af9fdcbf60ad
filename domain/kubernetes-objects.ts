/** The Kubernetes objects that rbac-sync manages, with the fields it owns and no others. */
import type { LimitRangeItem, ResourceQuotaHard } from './plan.ts';
import type { PolicyRule } from './policy-rule.ts';

/** Metadata as we write it. */
export type Metadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** The reference of a binding to the role it gives; immutable in Kubernetes. */
export type RoleRef = {
  readonly apiGroup: 'rbac.authorization.k8s.io';
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
};

/** A group as the subject of a binding; people are never subjects. */
export type GroupSubject = {
  readonly apiGroup: 'rbac.authorization.k8s.io';
  readonly kind: 'Group';
  readonly name: string;
};

type Rbac = 'rbac.authorization.k8s.io/v1';

export type Namespace = {
  readonly apiVersion: 'v1';
  readonly kind: 'Namespace';
  readonly metadata: Metadata;
};
export type ResourceQuota = {
  readonly apiVersion: 'v1';
  readonly kind: 'ResourceQuota';
  readonly metadata: Metadata;
  readonly spec: { readonly hard: ResourceQuotaHard };
};
export type LimitRange = {
  readonly apiVersion: 'v1';
  readonly kind: 'LimitRange';
  readonly metadata: Metadata;
  readonly spec: { readonly limits: readonly LimitRangeItem[] };
};
export type NetworkPolicy = {
  readonly apiVersion: 'networking.k8s.io/v1';
  readonly kind: 'NetworkPolicy';
  readonly metadata: Metadata;
  readonly spec: {
    /** Empty: every pod of the namespace. */
    readonly podSelector: Readonly<Record<string, never>>;
    readonly policyTypes: readonly ['Ingress'];
    readonly ingress: readonly { readonly from: readonly NetworkPeer[] }[];
  };
};
/** All pods of the namespaces that have a label. */
export type NetworkPeer = {
  readonly namespaceSelector: {
    readonly matchExpressions: readonly { readonly key: string; readonly operator: 'Exists' }[];
  };
};
export type Role = {
  readonly apiVersion: Rbac;
  readonly kind: 'Role';
  readonly metadata: Metadata;
  readonly rules: readonly PolicyRule[];
};
export type RoleBinding = {
  readonly apiVersion: Rbac;
  readonly kind: 'RoleBinding';
  readonly metadata: Metadata;
  readonly roleRef: RoleRef;
  readonly subjects: readonly GroupSubject[];
};
export type ClusterRoleBinding = {
  readonly apiVersion: Rbac;
  readonly kind: 'ClusterRoleBinding';
  readonly metadata: Metadata;
  readonly roleRef: RoleRef;
  readonly subjects: readonly GroupSubject[];
};

/** Any object that rbac-sync manages. */
export type ManagedObject =
  | Namespace
  | ResourceQuota
  | LimitRange
  | NetworkPolicy
  | Role
  | RoleBinding
  | ClusterRoleBinding;

/** Which kind a managed object is. */
export type ManagedKind = ManagedObject['kind'];

/** The label that marks an object as ours: what we may change and prune, and nobody else may. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'hexabase-rbac-sync';
/** The label that says which project an object is of, by its public id. */
export const PROJECT_LABEL = 'kaas.hexabase.io/project';

/** What tells the objects of a cluster apart; ours and those that an API server has answered. */
export type ObjectIdentity = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
};

/** The namespace that an object is in, or is; `undefined`: it is the whole cluster's. */
export const namespaceOf = ({ kind, metadata }: ObjectIdentity): string | undefined =>
  kind === 'Namespace' ? metadata.name : metadata.namespace;

/** One key per object of a cluster: kind, namespace and name. */
export const toObjectKey = (object: ObjectIdentity): string =>
  `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
