/** What whoever stole rbac-sync's credential must not be able to do with it. */
import type { Attack, Targets } from './attack.ts';
import { group, LABEL, OURS, PATCHES, RBAC, roleRef } from './parts.ts';

const GROUP = group('hexabase:WSAdmins');

const post = (name: string, path: string, body: object): Attack => ({
  name,
  actors: ['sync'],
  method: 'POST',
  path,
  body,
});
const patch = (name: string, path: string, body: object): Attack => ({
  name,
  actors: ['sync'],
  method: 'PATCH',
  path,
  contentType: PATCHES.merge,
  body,
});
const remove = (name: string, path: string): Attack => ({
  name,
  actors: ['sync'],
  method: 'DELETE',
  path,
});

/** All of them. */
export const listSyncIdentityAttacks = (targets: Targets): Attack[] => [
  ...roles(),
  ...roleBindings(),
  ...clusterRoleBindings(),
  ...networkPolicies(),
  ...foreignObjects(targets),
  ...beyondItsTask(),
];

const roles = (): Attack[] => {
  const rule = (apiGroups: string[], resources: string[], verbs: string[]) => [
    { apiGroups, resources, verbs },
  ];
  const forbidden = {
    'every verb': rule([''], ['pods'], ['*']),
    'every resource': rule([''], ['*'], ['get']),
    'every group': rule(['*'], ['pods'], ['get']),
    'every subresource': rule([''], ['pods/*'], ['get']),
    escalate: rule(['apps'], ['roles'], ['escalate']),
    bind: rule(['apps'], ['clusterroles'], ['bind']),
    impersonate: rule([''], ['serviceaccounts'], ['impersonate']),
    'RBAC writes': rule(['rbac.authorization.k8s.io'], ['rolebindings'], ['create']),
    'token requests': rule([''], ['serviceaccounts/token'], ['create']),
    'the kubelet': rule([''], ['nodes/proxy'], ['get']),
    'certificate approval': rule(
      ['certificates.k8s.io'],
      ['certificatesigningrequests'],
      ['update'],
    ),
    webhooks: rule(['admissionregistration.k8s.io'], ['mutatingwebhookconfigurations'], ['create']),
  };
  const body = (rules: object) => ({ metadata: { name: 'evil', labels: OURS }, rules });
  return [
    ...Object.entries(forbidden).map(([what, rules]) =>
      post(`make a role with ${what}`, `${RBAC}/namespaces/shop/roles`, body(rules)),
    ),
    patch('widen a project role', `${RBAC}/namespaces/shop/roles/hexabase:pod-reader`, {
      rules: forbidden['every verb'],
    }),
    post('make a role in kube-system', `${RBAC}/namespaces/kube-system/roles`, body([])),
    post('make a role in hexabase-system', `${RBAC}/namespaces/hexabase-system/roles`, body([])),
    post('make a role in default', `${RBAC}/namespaces/default/roles`, body([])),
    post('make an unlabelled role', `${RBAC}/namespaces/shop/roles`, {
      metadata: { name: 'evil' },
      rules: [],
    }),
  ];
};

const binding = (role: object, subject: object) => ({
  metadata: { name: 'evil', labels: OURS },
  roleRef: role,
  subjects: [subject],
});

const roleBindings = (): Attack[] => {
  const shop = `${RBAC}/namespaces/shop/rolebindings`;
  const subjects = {
    'a user': { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'hexabase:evil' },
    'a service account': { kind: 'ServiceAccount', namespace: 'shop', name: 'default' },
    'system:authenticated': group('system:authenticated'),
    'system:masters': group('system:masters'),
  };
  return [
    ...Object.entries(subjects).map(([who, subject]) =>
      post(`bind admin to ${who}`, shop, binding(roleRef('admin'), subject)),
    ),
    ...['cluster-admin', 'edit', 'hexabase:sync', 'system:aggregate-to-admin'].map((role) =>
      post(`bind ${role} in a project`, shop, binding(roleRef(role), GROUP)),
    ),
    post(
      'bind the presets in a project',
      shop,
      binding(roleRef('hexabase:workspace-admin'), GROUP),
    ),
    ...['kube-system', 'hexabase-system', 'default'].map((namespace) =>
      post(
        `bind view in ${namespace}`,
        `${RBAC}/namespaces/${namespace}/rolebindings`,
        binding(roleRef('view'), GROUP),
      ),
    ),
  ];
};

const clusterRoleBindings = (): Attack[] =>
  ['admin', 'view', 'cluster-admin', 'edit', 'hexabase:sync', 'hexabase:cluster-reader'].map(
    (role) =>
      post(
        `bind ${role} in the whole cluster`,
        `${RBAC}/clusterrolebindings`,
        binding(roleRef(role), GROUP),
      ),
  );

const networkPolicies = (): Attack[] => {
  const open = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] };
  const of = (namespace: string) =>
    `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  return [
    post('make an unlabelled network policy', of('shop'), {
      metadata: { name: 'evil' },
      spec: open,
    }),
    ...['kube-system', 'hexabase-system', 'default'].map((namespace) =>
      post(`make a network policy in ${namespace}`, of(namespace), {
        metadata: { name: 'evil', labels: OURS },
        spec: open,
      }),
    ),
    remove('delete a tenant’s network policy', `${of('shop')}/tenants-own`),
    patch('label a tenant’s network policy as ours', `${of('shop')}/tenants-own`, {
      metadata: { labels: OURS },
    }),
  ];
};

const foreignObjects = ({ roleBinding, clusterRoleBinding }: Targets): Attack[] => {
  const crb = (name: string) => `${RBAC}/clusterrolebindings/${encodeURIComponent(name)}`;
  return [
    remove('delete its own wall’s binding', crb('hexabase:sync')),
    remove('delete a built-in binding', crb('cluster-admin')),
    remove('delete kube-system', '/api/v1/namespaces/kube-system'),
    remove('delete default', '/api/v1/namespaces/default'),
    remove('delete a tenant’s binding', `${RBAC}/namespaces/shop/rolebindings/tenants-own`),
    remove('delete a tenant’s role', `${RBAC}/namespaces/shop/roles/tenants-own`),
    patch('label kube-system as a project', '/api/v1/namespaces/kube-system', {
      metadata: { labels: OURS },
    }),
    ...['default', 'elsewhere'].flatMap((name) => [
      patch(`adopt ${name}, which nobody gave to a project,`, `/api/v1/namespaces/${name}`, {
        metadata: {
          labels: { ...OURS, 'kaas.hexabase.io/project': 'prj_01k3v7c4h8e2f9r5t6y7z8a9bc' },
          annotations: { 'kaas.hexabase.io/adopt': 'prj_01k3v7c4h8e2f9r5t6y7z8a9bc' },
        },
      }),
      patch(`give ${name} to a project`, `/api/v1/namespaces/${name}`, {
        metadata: { annotations: { 'kaas.hexabase.io/adopt': 'prj_01k3v7c4h8e2f9r5t6y7z8a9bc' } },
      }),
    ]),
    remove(
      'delete what has a name of ours outside of projects',
      `${RBAC}/namespaces/elsewhere/roles/hexabase:theirs`,
    ),
    patch('label a tenant’s binding as ours', `${RBAC}/namespaces/shop/rolebindings/tenants-own`, {
      metadata: { labels: OURS },
    }),
    patch('take over the binding of its own rights', crb('hexabase:sync'), {
      metadata: { labels: OURS },
      subjects: [GROUP],
    }),
    patch(
      'unlabel ours',
      `${RBAC}/namespaces/shop/rolebindings/${encodeURIComponent(roleBinding)}`,
      {
        metadata: { labels: { [LABEL]: null } },
      },
    ),
    patch('give a preset to everybody', crb(clusterRoleBinding), {
      subjects: [group('system:authenticated')],
    }),
    post('make an unlabelled namespace', '/api/v1/namespaces', { metadata: { name: 'evil' } }),
    post('make a system namespace', '/api/v1/namespaces', {
      metadata: { name: 'kube-evil', labels: OURS },
    }),
  ];
};

const beyondItsTask = (): Attack[] => [
  ...['clusterroles', 'clusterroles/view', 'clusterroles/hexabase:workspace-viewer'].map((path) =>
    path === 'clusterroles'
      ? post('make a ClusterRole', `${RBAC}/${path}`, { metadata: { name: 'evil' }, rules: [] })
      : patch(`change ${path}`, `${RBAC}/${path}`, { rules: [] }),
  ),
  ...['/api/v1/secrets', '/api/v1/configmaps', '/api/v1/pods', '/api/v1/nodes'].map(
    (path): Attack => ({ name: `read ${path}`, actors: ['sync'], path }),
  ),
  post('make a pod', '/api/v1/namespaces/shop/pods', {
    metadata: { name: 'evil' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  }),
  ...['kube-system/serviceaccounts/namespace-controller', 'shop/serviceaccounts/default'].map(
    (path) =>
      post(`request a token of ${path}`, `/api/v1/namespaces/${path}/token`, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      }),
  ),
  {
    name: 'impersonate an admin',
    actors: ['sync'],
    path: '/api/v1/namespaces',
    headers: { 'impersonate-user': 'x', 'impersonate-group': 'hexabase:WSAdmins' },
  },
];
