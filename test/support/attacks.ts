/**
 * What people with real tokens must not be able to do in a workspace's cluster, as data: each attack
 * is one request that must be answered 401 or 403. Expects the project `shop` with our objects in it,
 * and there a Role and a RoleBinding `tenants-own` that a tenant made.
 */
import type { KubernetesClient, RequestOptions } from '../../rbac-sync/kubernetes-client.ts';
import { KubernetesError } from '../../rbac-sync/kubernetes-error.ts';

/** Who attacks. */
export type Actor =
  /** A member of WSAdmins: holds the presets, and the built-in `admin` in each project. */
  | 'admin'
  /** A member of a group with a project role. */
  | 'member'
  /** A person with a sound token of this workspace and no group that anything is bound to. */
  | 'stranger'
  /** A group to which someone bound, by mistake, a cluster-wide role that writes. */
  | 'mistaken'
  /** Whoever stole the credential of rbac-sync. */
  | 'sync';

/** One request that must be refused, by whomever it is made. */
export type Attack = Pick<
  RequestOptions,
  'method' | 'query' | 'contentType' | 'body' | 'headers'
> & {
  readonly name: string;
  readonly actors: readonly Actor[];
  readonly path: string;
};

/** Names of our objects that attacks aim at; bindings have a hash in theirs. */
export type Targets = {
  readonly roleBinding: string;
  readonly clusterRoleBinding: string;
};

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const SHOP = `${RBAC}/namespaces/shop`;
const LABEL = 'app.kubernetes.io/managed-by';
const OURS = { [LABEL]: 'hexabase-rbac-sync' };
const PEOPLE: readonly Actor[] = ['admin', 'member', 'stranger'];
const EVERYONE: readonly Actor[] = [...PEOPLE, 'mistaken'];

const roleRef = (name: string, kind = 'ClusterRole') => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind,
  name,
});
const group = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });
const user = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });
const serviceAccount = (namespace: string, name = 'default') => ({
  kind: 'ServiceAccount',
  namespace,
  name,
});
const EVERYTHING = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
const PATCHES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** Everything, by theme. */
export const listAttacks = (targets: Targets): Attack[] => [
  ...impersonation(),
  ...systemNamespaces(),
  ...namespaces(),
  ...clusterRoles(targets),
  ...managedObjects(targets),
  ...reservedNames(),
  ...bindings(),
  ...escalation(),
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

/** Every way to write one object of a kind: create, replace, four kinds of patch, delete, and many at once. */
const everyWrite = (
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

const managedObjects = ({ roleBinding }: Targets): Attack[] => {
  const core = '/api/v1/namespaces/shop';
  const objects = [
    ['our quota', `${core}/resourcequotas/hexabase-plan`],
    ['our quota, through status,', `${core}/resourcequotas/hexabase-plan/status`],
    ['our limits', `${core}/limitranges/hexabase-plan`],
    ['our role', `${SHOP}/roles/hexabase:pod-reader`],
    ['our binding', `${SHOP}/rolebindings/${encodeURIComponent(roleBinding)}`],
  ] as const;
  const patch = (body: object) => ({ method: 'PATCH', contentType: PATCHES.merge, body }) as const;
  return [
    ...objects.flatMap(([what, path]): Attack[] => [
      {
        name: `unlabel ${what}`,
        actors: PEOPLE,
        path,
        ...patch({ metadata: { labels: { [LABEL]: null } } }),
      },
      {
        name: `relabel ${what}`,
        actors: PEOPLE,
        path,
        ...patch({ metadata: { labels: { [LABEL]: 'me' } } }),
      },
      {
        name: `annotate ${what}`,
        actors: PEOPLE,
        path,
        ...patch({ metadata: { annotations: { a: 'b' } } }),
      },
      {
        name: `disown ${what}`,
        actors: PEOPLE,
        path,
        ...patch({ metadata: { finalizers: ['a.b/c'] } }),
      },
      ...(path.endsWith('/status')
        ? []
        : [{ name: `delete ${what}`, actors: PEOPLE, method: 'DELETE', path } as const]),
    ]),
    ...everyWrite('our RoleBinding', {
      actors: PEOPLE,
      collection: `${SHOP}/rolebindings`,
      existing: roleBinding,
      kind: 'RoleBinding',
      body: {
        metadata: { name: roleBinding, labels: OURS },
        roleRef: roleRef('hexabase:pod-reader', 'Role'),
        subjects: [group('hexabase:evil')],
      },
    }).filter(
      ({ path, method }) =>
        path.includes(roleBinding.replaceAll(':', '%3A')) || method === 'DELETE',
    ),
    {
      name: 'make a role that looks like ours',
      actors: PEOPLE,
      method: 'POST',
      path: `${SHOP}/roles`,
      body: { metadata: { name: 'mine', labels: OURS }, rules: [] },
    },
    {
      name: 'label an own role as ours',
      actors: PEOPLE,
      path: `${SHOP}/roles/tenants-own`,
      ...patch({ metadata: { labels: OURS } }),
    },
  ];
};

const reservedNames = (): Attack[] =>
  (
    [
      ['roles', { metadata: { name: 'hexabase:evil' }, rules: [] }],
      ['roles', { metadata: { generateName: 'hexabase:evil' }, rules: [] }],
      [
        'rolebindings',
        {
          metadata: { name: 'hexabase:admin:0000000000' },
          roleRef: roleRef('view'),
          subjects: [group('hexabase:WSAdmins')],
        },
      ],
    ] as const
  ).map(([kind, body]) => ({
    name: `take the reserved name ${JSON.stringify(body.metadata)} for ${kind}`,
    actors: PEOPLE,
    method: 'POST',
    path: `${SHOP}/${kind}`,
    body,
  }));

const bindings = (): Attack[] =>
  [
    user('hexabase:usr_01k3v7c4h8e2f9r5t6y7z8a9bc'),
    user('system:kube-scheduler'),
    group('system:authenticated'),
    group('system:unauthenticated'),
    group('system:masters'),
    group('system:serviceaccounts'),
    serviceAccount('kube-system'),
    serviceAccount('hexabase-system', 'rbac-sync'),
  ].flatMap((subject): Attack[] => [
    {
      name: `bind a project’s role to ${subject.kind} ${subject.name}`,
      actors: PEOPLE,
      method: 'POST',
      path: `${SHOP}/rolebindings`,
      body: { metadata: { name: 'evil' }, roleRef: roleRef('view'), subjects: [subject] },
    },
    {
      name: `add ${subject.kind} ${subject.name} to an own binding`,
      actors: PEOPLE,
      method: 'PATCH',
      path: `${SHOP}/rolebindings/tenants-own`,
      contentType: PATCHES.merge,
      body: { subjects: [subject] },
    },
  ]);

const escalation = (): Attack[] => {
  const rule = (apiGroups: string[], resources: string[], verbs: string[]) => [
    { apiGroups, resources, verbs },
  ];
  const roles = [
    ['everything', EVERYTHING],
    ['escalate', rule(['rbac.authorization.k8s.io'], ['roles'], ['escalate'])],
    ['bind', rule(['rbac.authorization.k8s.io'], ['clusterroles'], ['bind'])],
    ['impersonate users', rule([''], ['users', 'groups'], ['impersonate'])],
    ['write quotas', rule([''], ['resourcequotas'], ['delete', 'update'])],
  ] as const;
  return [
    ...roles.map(
      ([name, rules]): Attack => ({
        name: `make a role in a project that may ${name}`,
        actors: PEOPLE,
        method: 'POST',
        path: `${SHOP}/roles`,
        body: { metadata: { name: 'evil' }, rules },
      }),
    ),
    ...['cluster-admin', 'system:node', 'hexabase:sync'].map(
      (name): Attack => ({
        name: `bind the ClusterRole ${name} in a project`,
        actors: PEOPLE,
        method: 'POST',
        path: `${SHOP}/rolebindings`,
        body: {
          metadata: { name: 'evil' },
          roleRef: roleRef(name),
          subjects: [group('hexabase:WSAdmins')],
        },
      }),
    ),
  ];
};

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

/** How an attack ended; `refused` is the only good end. */
export type AttackResult = 'refused' | 'succeeded' | `answered ${number}`;

/**
 * Attacks. As a dry run it goes through the same authorization and admission, and leaves nothing
 * behind when it succeeds.
 */
export const attack = async (
  client: KubernetesClient,
  { method, path, query, contentType, body, headers }: Attack,
  dryRun: boolean,
): Promise<AttackResult> => {
  try {
    await client.request(path, {
      ...(method && { method }),
      query: { ...query, ...(dryRun && method && { dryRun: 'All' }) },
      ...(contentType && { contentType }),
      ...(body !== undefined && { body }),
      ...(headers && { headers }),
    });
    return 'succeeded';
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return error.status === 401 || error.status === 403 ? 'refused' : `answered ${error.status}`;
  }
};
