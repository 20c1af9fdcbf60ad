/**
 * What a stolen sync credential can do, found by trying everything that the API server serves: in its own
 * cluster what its role says and no more, outside of projects nothing, in another's cluster nothing at all.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { bootstrapCluster, requestSyncToken } from '../../../rbac-sync/bootstrap/bootstrap.ts';
import type { KubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import { forEachConcurrently } from '../../../rbac-sync/queue/concurrent.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  type TestCluster,
  type TestProvisioner,
} from '../../support/kube.ts';

const RBAC = 'rbac.authorization.k8s.io';
const VERBS = [
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
  ...['bind', 'escalate', 'impersonate', 'approve', 'sign', 'attest', 'use', 'proxy'],
];
const READ = 'get list watch';
const MANAGE = 'create delete get list patch watch';
/** By resource and API group: everything that it may do in any namespace. */
const ALLOWED: Readonly<Record<string, string>> = {
  'namespaces.': MANAGE,
  'resourcequotas.': MANAGE,
  'limitranges.': MANAGE,
  'networkpolicies.networking.k8s.io': MANAGE,
  [`roles.${RBAC}`]: `bind ${MANAGE.replace('delete', 'delete escalate')}`,
  [`rolebindings.${RBAC}`]: MANAGE,
  [`clusterrolebindings.${RBAC}`]: MANAGE,
  [`clusterroles.${RBAC}`]: READ,
  'validatingadmissionpolicies.admissionregistration.k8s.io': READ,
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': READ,
  'subjectaccessreviews.authorization.k8s.io': 'create',
  // What everyone with a token may ask about themselves (system:basic-user).
  'selfsubjectaccessreviews.authorization.k8s.io': 'create',
  'selfsubjectrulesreviews.authorization.k8s.io': 'create',
  'selfsubjectreviews.authentication.k8s.io': 'create',
};

let stack: AsyncDisposableStack;
let planes: TestProvisioner;
let cluster: TestCluster;
let thief: KubernetesClient;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  planes = stack.use(await createTestProvisioner());
  cluster = stack.use(await connectTestCluster(planes, createId()));
  await bootstrapCluster(cluster.root);
  thief = cluster.withToken((await requestSyncToken(cluster.root)).token);
});
afterAll(() => stack.disposeAsync());

type Resource = { readonly group: string; readonly name: string };

/** Everything that the API server serves, subresources too. */
const listResources = async (): Promise<Resource[]> => {
  const read = async (path: string, group: string): Promise<Resource[]> => {
    const { resources } = (await cluster.root.request(path)) as { resources: { name: string }[] };
    return resources.map(({ name }) => ({ group, name }));
  };
  const { groups } = (await cluster.root.request('/apis')) as {
    groups: { name: string; versions: { groupVersion: string }[] }[];
  };
  const lists = await Promise.all([
    read('/api/v1', ''),
    ...groups.flatMap(({ name, versions }) =>
      versions.map(({ groupVersion }) => read(`/apis/${groupVersion}`, name)),
    ),
  ]);
  return [
    ...new Map(lists.flat().map((each) => [`${each.name}.${each.group}`, each])).values(),
    // Served by no list, and asked for all the same.
    ...['users', 'groups', 'userextras', 'uids'].map((name) => ({ group: '', name })),
  ];
};

type Question = { readonly verb: string; readonly namespace?: string; readonly name?: string };

const may = async ({ group, name: path }: Resource, question: Question): Promise<boolean> => {
  const [resource, subresource] = path.split('/');
  const answer = await thief.request('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    method: 'POST',
    body: { spec: { resourceAttributes: { group, resource, subresource, ...question } } },
  });
  return (answer as { status: { allowed: boolean } }).status.allowed;
};

describe('a stolen sync credential', () => {
  it.each(['shop', 'kube-system', 'hexabase-system'])(
    'may in %s, of every verb on everything, what its role says and no more',
    async (namespace) => {
      const resources = await listResources();
      expect(resources.length).toBeGreaterThan(100);
      const found = new Map<string, string[]>();
      const questions = resources.flatMap((each) => VERBS.map((verb) => ({ each, verb })));
      const failures = await forEachConcurrently(questions, 32, async ({ each, verb }) => {
        if (!(await may(each, { verb, namespace }))) return;
        const key = `${each.name}.${each.group}`;
        found.set(key, [...(found.get(key) ?? []), verb].sort());
      });
      expect(failures).toEqual([]);
      const allowed = Object.fromEntries([...found].map(([key, verbs]) => [key, verbs.join(' ')]));
      expect(allowed).toEqual(
        Object.fromEntries(
          Object.entries(ALLOWED).map(([key, verbs]) => [key, verbs.split(' ').sort().join(' ')]),
        ),
      );
    },
  );

  it('may hand out four ClusterRoles of all there are, and renew one token of all accounts', async () => {
    const namesOf = async (path: string) => {
      const { items } = (await cluster.root.request(path)) as {
        items: { metadata: { name: string; namespace?: string } }[];
      };
      return items.map(({ metadata }) => metadata);
    };
    const bound: string[] = [];
    for (const { name } of await namesOf(`/apis/${RBAC}/v1/clusterroles`)) {
      if (await may({ group: RBAC, name: 'clusterroles' }, { verb: 'bind', name }))
        bound.push(name);
    }
    expect(bound.sort()).toEqual([
      'admin',
      'hexabase:workspace-admin',
      'hexabase:workspace-viewer',
      'view',
    ]);
    const tokens: string[] = [];
    for (const { name, namespace = '' } of await namesOf('/api/v1/serviceaccounts')) {
      const question = { verb: 'create', name, namespace };
      const token = { group: '', name: 'serviceaccounts/token' };
      if (await may(token, question)) tokens.push(`${namespace}/${name}`);
    }
    expect(tokens).toEqual(['hexabase-system/rbac-sync']);
  });

  it('writes nothing in a namespace that is no project’s, whatever it calls itself', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'hexabase-rbac-sync' };
    const metadata = { name: 'hexabase-plan', labels };
    const subjects = [{ apiGroup: RBAC, kind: 'Group', name: 'hexabase:WSAdmins' }];
    const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: 'view' };
    const bodies = {
      'api/v1|resourcequotas': { spec: { hard: { pods: '0' } } },
      'api/v1|limitranges': { spec: { limits: [] } },
      'apis/networking.k8s.io/v1|networkpolicies': { spec: { podSelector: {} } },
      [`apis/${RBAC}/v1|roles`]: { rules: [] },
      [`apis/${RBAC}/v1|rolebindings`]: { roleRef, subjects },
    };
    const succeeded: string[] = [];
    for (const namespace of ['default', 'kube-system', 'kube-public', 'hexabase-system']) {
      for (const [where, body] of Object.entries(bodies)) {
        const [api, plural] = where.split('|');
        for (const own of [metadata, { ...metadata, name: 'hexabase-x' }, { name: 'x' }]) {
          const refused = await thief
            .request(`/${api}/namespaces/${namespace}/${plural}`, {
              method: 'POST',
              query: { dryRun: 'All' },
              body: { metadata: own, ...body },
            })
            .then(
              () => false,
              (error: unknown) => error instanceof KubernetesError && error.status === 403,
            );
          if (!refused) succeeded.push(`${namespace}: ${plural} ${own.name}`);
        }
      }
    }
    expect(succeeded).toEqual([]);
  });

  it('is nobody in another workspace’s cluster, for every method', async () => {
    await using other = await connectTestCluster(planes, createId());
    const token = (await requestSyncToken(cluster.root)).token;
    const client = other.withToken(token);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      for (const path of ['/api/v1/namespaces/default', `/apis/${RBAC}/v1/clusterroles/view`]) {
        await expect(client.request(path, { method, body: {} })).rejects.toMatchObject({
          status: 401,
        });
      }
    }
  });
});
