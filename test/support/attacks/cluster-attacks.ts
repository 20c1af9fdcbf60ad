/** Attacks on the cluster: on what belongs to the platform and not to a project. */
import type { Attack, Targets } from './attack.ts';
import {
  ADMISSION,
  EVERYONE,
  EVERYTHING,
  everyWrite,
  group,
  LABEL,
  OURS,
  PATCHES,
  PEOPLE,
  RBAC,
  roleRef,
} from './parts.ts';

/** All of them. */
export const listClusterAttacks = (targets: Targets): Attack[] => [
  ...impersonation(),
  ...systemNamespaces(),
  ...markOfOwnership(),
  ...namespaces(),
  ...clusterRoles(targets),
  ...platform(),
];

const impersonation = (): Attack[] => {
  const as = (what: string, headers: Record<string, string>): Attack => ({
    name: `impersonate ${what}`,
    actors: EVERYONE,
    path: '/api/v1/namespaces',
    headers,
  });
  const someone = 'hexabase:usr_01k3v7c4h8e2f9r5t6y7z8a9bc';
  return [
    as('another person', { 'impersonate-user': someone }),
    as('system:masters', { 'impersonate-user': someone, 'impersonate-group': 'system:masters' }),
    as('the admins’ group', {
      'impersonate-user': someone,
      'impersonate-group': 'hexabase:WSAdmins',
    }),
    as('a system user', { 'impersonate-user': 'system:kube-controller-manager' }),
    as('a uid', { 'impersonate-user': someone, 'impersonate-uid': '1' }),
    as('an extra', { 'impersonate-user': someone, 'impersonate-extra-scopes': 'all' }),
    ...[
      'kube-system:clusterrole-aggregation-controller',
      'hexabase-system:rbac-sync',
      'default:default',
    ].map((name) =>
      as(`the service account ${name}`, { 'impersonate-user': `system:serviceaccount:${name}` }),
    ),
  ];
};

const systemNamespaces = (): Attack[] =>
  ['kube-system', 'kube-public', 'hexabase-system'].flatMap((namespace): Attack[] => {
    const api = `/api/v1/namespaces/${namespace}`;
    const account = namespace === 'hexabase-system' ? 'rbac-sync' : 'default';
    const post = (name: string, path: string, body: object): Attack => ({
      name: `${name} in ${namespace}`,
      actors: EVERYONE,
      method: 'POST',
      path,
      body,
    });
    return [
      post('request a token', `${api}/serviceaccounts/${account}/token`, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600 },
      }),
      post('make a token secret', `${api}/secrets`, {
        metadata: {
          name: 'stolen',
          annotations: { 'kubernetes.io/service-account.name': account },
        },
        type: 'kubernetes.io/service-account-token',
      }),
      post('make a pod', `${api}/pods`, {
        metadata: { name: 'evil' },
        spec: { serviceAccountName: account, containers: [{ name: 'c', image: 'i' }] },
      }),
      post('make a config map', `${api}/configmaps`, { metadata: { name: 'evil' } }),
      post('bind a role', `${RBAC}/namespaces/${namespace}/rolebindings`, {
        metadata: { name: 'evil' },
        roleRef: roleRef('view'),
        subjects: [group('hexabase:WSAdmins')],
      }),
      { name: `read secrets in ${namespace}`, actors: PEOPLE, path: `${api}/secrets` },
    ];
  });

/** A ConfigMap beside the one that says whose an attached cluster is, and that every cluster has. */
const markOfOwnership = (): Attack[] =>
  everyWrite('ConfigMaps of hexabase-system', {
    actors: [...EVERYONE, 'sync'],
    collection: '/api/v1/namespaces/hexabase-system/configmaps',
    existing: 'kube-root-ca.crt',
    apiVersion: 'v1',
    kind: 'ConfigMap',
    body: { data: { workspace: 'ws_01k3v7c4h8e2f9r5t6y7z8a9bc' } },
  });

const namespaces = (): Attack[] => {
  const shop = '/api/v1/namespaces/shop';
  const change = (name: string, attack: Partial<Attack>): Attack => ({
    name,
    actors: EVERYONE,
    path: shop,
    ...attack,
  });
  const unlabel = { metadata: { labels: { [LABEL]: null } } };
  return [
    change('make a namespace', {
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'mine' } },
    }),
    change('make a namespace that looks like ours', {
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'mine', labels: OURS } },
    }),
    change('delete a project’s namespace', { method: 'DELETE' }),
    change('unlabel a project’s namespace', {
      method: 'PATCH',
      contentType: PATCHES.merge,
      body: unlabel,
    }),
    ...['status', 'finalize'].map((sub) =>
      change(`unlabel a project’s namespace through ${sub}`, {
        method: 'PUT',
        path: `${shop}/${sub}`,
        body: {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'shop' },
          spec: { finalizers: [] },
        },
      }),
    ),
  ];
};

const clusterRoles = ({ clusterRoleBinding }: Targets): Attack[] => [
  ...['hexabase:workspace-viewer', 'hexabase:sync', 'cluster-admin', 'view'].flatMap((existing) =>
    everyWrite(`the ClusterRole ${existing}`, {
      actors: EVERYONE,
      collection: `${RBAC}/clusterroles`,
      existing,
      kind: 'ClusterRole',
      body: { rules: EVERYTHING },
    }),
  ),
  ...(
    [
      [clusterRoleBinding, 'hexabase:workspace-viewer'],
      ['hexabase:sync', 'hexabase:sync'],
      ['cluster-admin', 'cluster-admin'],
    ] as const
  ).flatMap(([existing, role]) =>
    everyWrite(`the ClusterRoleBinding ${existing}`, {
      actors: EVERYONE,
      collection: `${RBAC}/clusterrolebindings`,
      existing,
      kind: 'ClusterRoleBinding',
      body: { roleRef: roleRef(role), subjects: [group('hexabase:WSAdmins')] },
    }),
  ),
];

/** What belongs to the platform alone. */
const platform = (): Attack[] => [
  ...['hexabase-managed-objects', 'hexabase-cluster-roles'].flatMap((existing) => [
    ...everyWrite(`the policy ${existing}`, {
      actors: [...EVERYONE, 'sync'],
      collection: `${ADMISSION}/validatingadmissionpolicies`,
      existing,
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      body: { spec: { validations: [{ expression: 'true' }] } },
    }),
    ...everyWrite(`the policy’s binding ${existing}`, {
      actors: [...EVERYONE, 'sync'],
      collection: `${ADMISSION}/validatingadmissionpolicybindings`,
      existing,
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      body: { spec: { policyName: existing, validationActions: ['Audit'] } },
    }),
  ]),
  ...['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'].map(
    (kind): Attack => ({
      name: `make ${kind}`,
      actors: [...EVERYONE, 'sync'],
      method: 'POST',
      path: `${ADMISSION}/${kind}`,
      body: { metadata: { name: 'evil' } },
    }),
  ),
  {
    name: 'ask for a certificate',
    actors: [...EVERYONE, 'sync'],
    method: 'POST',
    path: '/apis/certificates.k8s.io/v1/certificatesigningrequests',
    body: {
      metadata: { name: 'evil' },
      spec: {
        request: '',
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    },
  },
  {
    name: 'add an API',
    actors: [...EVERYONE, 'sync'],
    method: 'POST',
    path: '/apis/apiregistration.k8s.io/v1/apiservices',
    body: { metadata: { name: 'v1.evil.io' } },
  },
  {
    name: 'add a custom resource',
    actors: [...EVERYONE, 'sync'],
    method: 'POST',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    body: { metadata: { name: 'evils.evil.io' } },
  },
  { name: 'read metrics', actors: [...EVERYONE, 'sync'], path: '/metrics' },
];
