/** What attacks are made of. */
import type { Actor, Attack } from './attack.ts';

/** Where the API server keeps roles and bindings. */
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** Where it keeps policies and webhooks. */
export const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
/** Roles and bindings in the project. */
export const SHOP = `${RBAC}/namespaces/shop`;
/** Where it keeps NetworkPolicies in the project. */
export const NETWORK = '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies';
/** The label that marks objects as ours. */
export const LABEL = 'app.kubernetes.io/managed-by';
/** The labels of our objects. */
export const OURS = { [LABEL]: 'hexabase-rbac-sync' };
/** Everyone who holds what people hold. */
export const PEOPLE: readonly Actor[] = ['admin', 'member', 'stranger'];
/** With the group to which too much was bound. */
export const EVERYONE: readonly Actor[] = [...PEOPLE, 'mistaken'];

/** A reference to a role. */
export const roleRef = (name: string, kind = 'ClusterRole') => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind,
  name,
});
/** A group as a subject. */
export const group = (name: string) => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'Group',
  name,
});
/** A user as a subject. */
export const user = (name: string) => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'User',
  name,
});
/** A service account as a subject. */
export const serviceAccount = (namespace: string, name = 'default') => ({
  kind: 'ServiceAccount',
  namespace,
  name,
});
/** Rules that allow everything. */
export const EVERYTHING = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
/** Kinds of patch, by content type. */
export const PATCHES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** Every way to write one object of a kind: create, replace, four kinds of patch, delete, and many at once. */
export const everyWrite = (
  what: string,
  options: {
    readonly actors: readonly Actor[];
    readonly collection: string;
    readonly existing: string;
    readonly body: Record<string, unknown>;
    readonly apiVersion?: string;
    readonly kind: string;
  },
): Attack[] => {
  const {
    actors,
    collection,
    existing,
    kind,
    apiVersion = 'rbac.authorization.k8s.io/v1',
  } = options;
  const path = `${collection}/${encodeURIComponent(existing)}`;
  const object = (name: string) => ({ apiVersion, kind, metadata: { name }, ...options.body });
  const write = (how: string, attack: Partial<Attack>): Attack => ({
    name: `${how} ${what}`,
    actors,
    path,
    ...attack,
  });
  return [
    write('create', { method: 'POST', path: collection, body: object('evil') }),
    write('create, as a dry run,', {
      method: 'POST',
      path: collection,
      query: { dryRun: 'All' },
      body: object('evil'),
    }),
    write('create by applying', {
      method: 'PATCH',
      path: `${collection}/evil`,
      query: { fieldManager: 'evil', force: 'true' },
      contentType: PATCHES.apply,
      body: object('evil'),
    }),
    write('replace', { method: 'PUT', body: object(existing) }),
    write('merge into', { method: 'PATCH', contentType: PATCHES.merge, body: options.body }),
    write('strategically merge into', {
      method: 'PATCH',
      contentType: PATCHES.strategic,
      body: options.body,
    }),
    write('patch', {
      method: 'PATCH',
      contentType: PATCHES.json,
      body: [{ op: 'add', path: '/metadata/labels', value: { evil: 'yes' } }],
    }),
    write('apply to', {
      method: 'PATCH',
      query: { fieldManager: 'evil', force: 'true' },
      contentType: PATCHES.apply,
      body: object(existing),
    }),
    write('delete', { method: 'DELETE' }),
    write('delete all with', { method: 'DELETE', path: collection }),
  ];
};
