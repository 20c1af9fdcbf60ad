/**
 * People with real tokens against a real kube-apiserver: everything that would raise their rights is
 * refused, and every admission policy is needed for that.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { bootstrapCluster, requestSyncToken } from '../../../rbac-sync/bootstrap/bootstrap.ts';
import { POLICIES } from '../../../rbac-sync/bootstrap/policy-probes.ts';
import type { KubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import { type Actor, type Attack, attack, type Targets } from '../../support/attacks/attack.ts';
import { listClusterAttacks } from '../../support/attacks/cluster-attacks.ts';
import { NETWORK } from '../../support/attacks/parts.ts';
import { type AttackedPlanes, createAttackedPlanes } from '../../support/attacks/planes.ts';
import { listProjectAttacks } from '../../support/attacks/project-attacks.ts';
import { listSyncIdentityAttacks } from '../../support/attacks/sync-identity-attacks.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  aSubject,
  connectTestCluster,
  ensurePlane,
  startTestController,
  type TestCluster,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  insertWorkspace,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const SHOP = `${RBAC}/namespaces/shop`;
const VIEW = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const groupSubject = (name: string) => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'Group',
  name,
});

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: AttackedPlanes;
let workspace: WorkspaceRows;
let cluster: TestCluster;
let clients: Record<Actor, KubernetesClient>;
let attacks: readonly Attack[];

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  planes = stack.use(await createAttackedPlanes(database));
  const sync = stack.use(await startTestController(database, planes.provisioner));
  await database.query(`UPDATE plan SET network_policy = 'isolate'`);
  workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  await workspace.change(
    'role-assignment.create',
    aProject(workspace.id, 'shop'),
    aGroup(workspace.id, 'developers'),
    aProjectRole(workspace.id, 'shop', 'pod-reader', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    ]),
    anAssignment(workspace.id, 'developers', 'shop', 'pod-reader'),
  );
  // From here on nothing repairs: what an attack changes stays changed and is seen.
  await sync[Symbol.asyncDispose]();
  cluster = stack.use(await connectTestCluster(planes, workspace.id));
  await bindByMistake();
  clients = {
    admin: await cluster.asMember(['WSAdmins', 'WorkspaceMembers']),
    member: await cluster.asMember(['developers', 'WorkspaceMembers']),
    stranger: await cluster.asMember([]),
    mistaken: await cluster.asMember(['mistaken']),
    sync: cluster.withToken((await requestSyncToken(cluster.root)).token),
  };
  await makeTenantsOwn(clients.admin);
  await makeElsewhere();
  const targets = await findTargets();
  attacks = [listClusterAttacks, listProjectAttacks, listSyncIdentityAttacks].flatMap((list) =>
    list(targets),
  );
});
afterAll(() => stack.disposeAsync());

/**
 * Someone with the bootstrap credential bound a role that writes in the whole cluster, RBAC included.
 * Impersonation is not in it: who may impersonate the control plane is the control plane, and no
 * policy can tell them apart, which is why nothing that writes is ever bound cluster-wide.
 */
const bindByMistake = async (): Promise<void> => {
  const verbs = ['create', 'update', 'patch', 'delete', 'deletecollection'];
  await cluster.root.request(`${RBAC}/clusterroles`, {
    method: 'POST',
    body: {
      metadata: { name: 'mistake' },
      rules: [
        {
          apiGroups: [''],
          resources: ['pods', 'secrets', 'configmaps', 'serviceaccounts/token', 'namespaces'],
          verbs,
        },
        { apiGroups: [''], resources: ['namespaces/status', 'namespaces/finalize'], verbs },
        {
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
          verbs: [...verbs, 'bind', 'escalate'],
        },
      ],
    },
  });
  await cluster.root.request(`${RBAC}/clusterrolebindings`, {
    method: 'POST',
    body: {
      metadata: { name: 'mistake' },
      roleRef: { ...VIEW, name: 'mistake' },
      subjects: [groupSubject('hexabase:mistaken')],
    },
  });
};

const makeTenantsOwn = async (admin: KubernetesClient): Promise<void> => {
  const metadata = { name: 'tenants-own' };
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  await admin.request(`${SHOP}/roles`, { method: 'POST', body: { metadata, rules } });
  await admin.request(`${SHOP}/rolebindings`, {
    method: 'POST',
    body: { metadata, roleRef: VIEW, subjects: [groupSubject('hexabase:developers')] },
  });
  const spec = { podSelector: {}, ingress: [{}] };
  await admin.request(NETWORK, { method: 'POST', body: { metadata, spec } });
};

/** A namespace that is no project’s, with a Role of a name that is ours in projects. */
const makeElsewhere = async (): Promise<void> => {
  const post = (path: string, body: object) => cluster.root.request(path, { method: 'POST', body });
  await post('/api/v1/namespaces', { metadata: { name: 'elsewhere' } });
  await post(`${RBAC}/namespaces/elsewhere/roles`, { metadata: { name: 'hexabase:theirs' } });
};

const findTargets = async (): Promise<Targets> => {
  const find = async (path: string, prefix: string): Promise<string> => {
    const { items } = (await cluster.root.request(path)) as {
      items: { metadata: { name: string } }[];
    };
    return items.find(({ metadata }) => metadata.name.startsWith(prefix))?.metadata.name ?? '';
  };
  return {
    roleBinding: await find(`${SHOP}/rolebindings`, 'hexabase:pod-reader:'),
    clusterRoleBinding: await find(`${RBAC}/clusterrolebindings`, 'hexabase:workspace-viewer:'),
  };
};

/** The attacks that are not refused, as sentences. */
const listFailures = async (dryRun: boolean): Promise<string[]> => {
  const failures: string[] = [];
  for (const each of attacks) {
    for (const actor of each.actors) {
      const result = await attack(clients[actor], each, dryRun);
      if (result !== 'refused') failures.push(`${actor}: ${each.name} → ${result}`);
    }
  }
  return failures;
};

/** Of the API server's own view of who someone is. */
const whoAmI = async (client: KubernetesClient) => {
  const review = await client.request('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    method: 'POST',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return (review as { status: { userInfo: Record<string, unknown> } }).status.userInfo;
};

describe('a token', () => {
  const sound = (groups: readonly string[] = []) => ({
    audience: formatId('workspace', workspace.id),
    subject: aSubject(),
    groups,
  });
  const isAccepted = async (token: string): Promise<boolean> => {
    try {
      await whoAmI(cluster.withToken(token));
      return true;
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 401) return false;
      throw error;
    }
  };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('makes a person with the groups it names, under the prefix', async () => {
    const claims = { ...sound(['a', 'b']), other: { name: 'Ada', email: 'ada@example.com' } };
    expect(await whoAmI(cluster.withToken(await planes.issuer.sign(claims)))).toEqual({
      username: `hexabase:${claims.subject}`,
      uid: claims.subject,
      groups: ['hexabase:a', 'hexabase:b', 'system:authenticated'],
      extra: expect.objectContaining({
        'kaas.hexabase.io/name': ['Ada'],
        'kaas.hexabase.io/email': ['ada@example.com'],
        'kaas.hexabase.io/workspace': [claims.audience],
      }),
    });
  });

  it.each<[string, () => Parameters<TestProvisioner['issuer']['sign']>[0]]>([
    ['for another workspace', () => ({ ...sound(), audience: formatId('workspace', createId()) })],
    [
      'for this workspace and another',
      () => ({
        ...sound(),
        other: { aud: [formatId('workspace', workspace.id), formatId('workspace', createId())] },
      }),
    ],
    [
      'that says it is for another workspace',
      () => ({
        ...sound(),
        other: { workspace: formatId('workspace', createId()) },
      }),
    ],
    ['that has expired', () => ({ ...sound(), issuedAt: new Date(Date.now() - 600_000) })],
    ['that lives for a day', () => ({ ...sound(), lifetimeSeconds: 86_400 })],
    ['with the group system:masters', () => sound(['system:masters'])],
    ['with the group of our prefix and system:masters', () => sound(['hexabase:system:masters'])],
    ['with an empty group', () => sound([''])],
    ['with a group with a line end', () => sound(['WSAdmins\n'])],
    ['of the user system:admin', () => ({ ...sound(), subject: 'system:admin' })],
    [
      'of a service account',
      () => ({
        ...sound(),
        subject: 'system:serviceaccount:hexabase-system:rbac-sync',
      }),
    ],
    ['of nobody', () => ({ ...sound(), subject: '' })],
    ['of another issuer', () => ({ ...sound(), other: { iss: 'https://elsewhere.example' } })],
  ])('%s is refused', async (_name, claims) => {
    expect(await isAccepted(await planes.issuer.sign(claims()))).toBe(false);
  });

  it('that is unsigned, or signed otherwise, is refused', async () => {
    const payload = encode(planes.issuer.toPayload(sound(['WSAdmins'])));
    const header = (alg: string) => encode({ alg, kid: 'test', typ: 'JWT' });
    const hs256 = `${header('HS256')}.${payload}`;
    const hmac = createHmac('sha256', planes.issuer.publicKey).update(hs256).digest('base64url');
    const genuine = await planes.issuer.sign(sound());
    for (const token of [
      `${header('none')}.${payload}.`,
      `${header('None')}.${payload}.`,
      `${hs256}.${hmac}`,
      await planes.issuer.signWithForeignKey(sound(['WSAdmins'])),
      `${genuine.split('.')[0]}.${payload}.${genuine.split('.')[2]}`,
    ]) {
      expect(await isAccepted(token)).toBe(false);
    }
  });
});

describe('without a token', () => {
  it('nothing but health is answered', async () => {
    const nobody = cluster.withToken('');
    // Rejects when it is refused; the answer itself is plain text, which the client makes nothing of.
    await nobody.request('/livez');
    for (const path of ['/api', '/version', '/openapi/v3', '/api/v1/namespaces', '/metrics']) {
      await expect(nobody.request(path)).rejects.toMatchObject({ status: 401 });
    }
  });
});

describe('what people are there to do', () => {
  const create = (actor: Actor, path: string, body: object) =>
    clients[actor].request(path, { method: 'POST', query: { dryRun: 'All' }, body });

  it('an admin can do', async () => {
    const { admin } = clients;
    const core = '/api/v1/namespaces/shop';
    await admin.request('/api/v1/nodes');
    await admin.request('/api/v1/namespaces/kube-system/pods');
    await admin.request(`${RBAC}/clusterrolebindings`);
    await create('admin', `${core}/secrets`, { metadata: { name: 'a' } });
    await create('admin', `${core}/configmaps`, { metadata: { name: 'a' } });
    await create('admin', `${core}/serviceaccounts`, { metadata: { name: 'a' } });
    await create('admin', `${core}/serviceaccounts/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    await create('admin', '/apis/apps/v1/namespaces/shop/deployments', {
      metadata: { name: 'a' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { containers: [{ name: 'c', image: 'i' }] },
        },
      },
    });
    for (const subject of [
      groupSubject('hexabase:WSUsers'),
      { kind: 'ServiceAccount', namespace: 'shop', name: 'default' },
    ]) {
      await create('admin', `${SHOP}/rolebindings`, {
        metadata: { name: 'a' },
        roleRef: { ...VIEW, name: 'edit' },
        subjects: [subject],
      });
    }
    await admin.request(`${SHOP}/rolebindings/tenants-own`, {
      method: 'DELETE',
      query: { dryRun: 'All' },
    });
  });

  it('a member can do what their role says', async () => {
    await clients.member.request('/api/v1/namespaces/shop/pods');
    await expect(clients.member.request('/api/v1/namespaces/shop/secrets')).rejects.toThrow(
      KubernetesError,
    );
  });

  it('the sync identity can do', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'hexabase-rbac-sync' };
    await create('sync', '/api/v1/namespaces', { metadata: { name: 'new', labels } });
    await create('sync', `${SHOP}/rolebindings`, {
      metadata: { name: 'hexabase:new', labels },
      roleRef: { ...VIEW, name: 'admin' },
      subjects: [groupSubject('hexabase:WSUsers')],
    });
    await requestSyncToken(clients.sync);
  });
});

describe('an attack', () => {
  it('is refused, whoever makes it and whatever it is', async () => {
    expect(await listFailures(false)).toEqual([]);
    expect(attacks.length).toBeGreaterThan(200);
  });

  it.each(POLICIES)('succeeds when the policy %s is left out', async (policy) => {
    const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/${policy}`;
    await cluster.root.request(path, { method: 'DELETE' });
    try {
      const failures = await poll('an attack that succeeds', async () => {
        const found = (await listFailures(true)).filter((each) => each.endsWith('succeeded'));
        return found.length > 0 && found;
      });
      expect(failures.length).toBeGreaterThan(0);
    } finally {
      await bootstrapCluster(cluster.root);
    }
    expect(await listFailures(true)).toEqual([]);
  });
});

describe('a stolen sync credential', () => {
  it('is worth nothing at another workspace’s cluster', async () => {
    const token = (await requestSyncToken(cluster.root)).token;
    const other = await insertWorkspace(database, async () => {});
    await ensurePlane(planes.provisioner, other.id);
    await using elsewhere = await connectTestCluster(planes, other.id);
    await expect(elsewhere.withToken(token).request('/api')).rejects.toMatchObject({ status: 401 });
  });
});
