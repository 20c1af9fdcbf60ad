/**
 * Attacks inside a project: on our objects in it, and by a tenant's own. Expects the project `shop`, and
 * there a Role and a RoleBinding `tenants-own` that a tenant made.
 */
import type { Attack, Targets } from './attack.ts';
import {
  EVERYTHING,
  everyWrite,
  group,
  LABEL,
  NETWORK,
  OURS,
  PATCHES,
  PEOPLE,
  roleRef,
  SHOP,
  serviceAccount,
  user,
} from './parts.ts';

/** All of them. */
export const listProjectAttacks = (targets: Targets): Attack[] => [
  ...managedObjects(targets),
  ...networkPolicy(),
  ...reservedNames(),
  ...hostRecords(),
  ...bindings(),
  ...escalation(),
];

const managedObjects = ({ roleBinding }: Targets): Attack[] => {
  const core = '/api/v1/namespaces/shop';
  const objects = [
    ['our quota', `${core}/resourcequotas/hexabase-plan`],
    ['our quota, through status,', `${core}/resourcequotas/hexabase-plan/status`],
    ['our limits', `${core}/limitranges/hexabase-plan`],
    ['our network policy', `${NETWORK}/hexabase-plan`],
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

/** What would open a project to the rest of the cluster. */
const networkPolicy = (): Attack[] =>
  everyWrite('our NetworkPolicy', {
    actors: PEOPLE,
    collection: NETWORK,
    existing: 'hexabase-plan',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    body: {
      metadata: { name: 'hexabase-plan', labels: OURS },
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] },
    },
  }).filter(({ path }) => !path.endsWith('/evil'));

const reservedNames = (): Attack[] =>
  (
    [
      ['roles', { metadata: { name: 'hexabase:evil' }, rules: [] }],
      ['roles', { metadata: { generateName: 'hexabase:evil' }, rules: [] }],
      ['networkpolicies', { metadata: { name: 'hexabase-evil' }, spec: { podSelector: {} } }],
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
    path: kind === 'networkpolicies' ? NETWORK : `${SHOP}/${kind}`,
    body,
  }));

const hostRecords = (): Attack[] => {
  const path = '/api/v1/namespaces/shop/secrets';
  const labels = { owner: 'helm', name: 'vcluster', status: 'deployed', version: '99' };
  return [
    {
      name: 'make what looks like helm’s record on the host',
      actors: PEOPLE,
      method: 'POST',
      path,
      body: { metadata: { name: 'record', labels } },
    },
  ];
};

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
