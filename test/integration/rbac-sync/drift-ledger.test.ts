/** What the drift ledger says of changes past the platform: what, with which tool, by whom, what it opened. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DriftRow,
  type DriftWorld,
  impersonate,
  mergePatch,
  rbacPath,
  startDriftWorld,
} from '../../support/drift.ts';
import { aSubject } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { anAssignment, aProjectRole } from '../../support/workspace-rows.ts';

let world: DriftWorld;
beforeAll(async () => {
  world = await startDriftWorld();
  const { id } = world.workspace;
  await world.workspace.change(
    'role-assignment.create',
    aProjectRole(id, 'shop', 'deploy', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    ]),
    anAssignment(id, 'WSUsers', 'shop', 'deploy'),
  );
});
afterAll(() => world[Symbol.asyncDispose]());

const MALLORY = 'mallory@host';
const root = () => impersonate(world.cluster.root, MALLORY);
const isRepaired = (row: DriftRow) => row.action === 'repaired' && row.actor !== null;
const byMallory = {
  actor: {
    username: MALLORY,
    impersonated_by: 'hexabase-bootstrap',
    user_agent: 'kubectl/v1.35.4',
    source_ips: ['127.0.0.1'],
  },
};
const QUOTA = '/api/v1/namespaces/shop/resourcequotas/hexabase-plan';
const group = (name: string) => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'Group',
  name: `hexabase:${name}`,
});

/** The binding of the built-in admin in the project, by its name. */
const adminBinding = async (): Promise<string> => {
  const { items } = (await world.cluster.root.request(`${rbacPath('shop')}/rolebindings`)) as {
    items: { metadata: { name: string } }[];
  };
  const found = items.find(({ metadata }) => metadata.name.startsWith('hexabase:admin:'));
  if (!found) throw new Error('no binding of admin');
  return found.metadata.name;
};

describe('what was put back', () => {
  it('is a subject that was added to our binding, with the rights that it got', async () => {
    const name = await adminBinding();
    const path = `${rbacPath('shop')}/rolebindings/${name}`;
    await root().request(path, mergePatch({ subjects: [group('WSAdmins'), group('WSUsers')] }));
    const row = await world.untilRow(name, isRepaired);
    expect(row).toMatchObject({
      kind: 'RoleBinding',
      namespace: 'shop',
      change: 'modified',
      managers: ['kubectl-edit'],
      differences: [{ path: 'subjects', before: [], after: [group('WSUsers')] }],
      ...byMallory,
    });
    expect(row.resolved_at).not.toBeNull();
    expect(row.opened).toHaveLength(1);
    expect(row.opened[0]).toMatchObject({
      subject: { kind: 'Group', name: 'hexabase:WSUsers' },
      role: 'ClusterRole admin',
      namespace: 'shop',
    });
    expect(row.opened[0]?.rules.length).toBeGreaterThan(0);
    const binding = await world.cluster.root.request(path);
    expect(binding).toMatchObject({ subjects: [group('WSAdmins')] });
  });

  it('is a quota that was raised', async () => {
    await root().request(QUOTA, mergePatch({ spec: { hard: { pods: '1000' } } }));
    const row = await world.untilRow('hexabase-plan', isRepaired);
    expect(row).toMatchObject({
      kind: 'ResourceQuota',
      change: 'modified',
      differences: [{ path: 'spec.hard.pods', after: '1k' }],
      opened: [
        { sentence: expect.stringMatching(/^Up to 1k pods instead of \d+ may be used in shop$/) },
      ],
      ...byMallory,
    });
  });

  it('is a role that was widened, told by whom it is held', async () => {
    const path = `${rbacPath('shop')}/roles/hexabase:deploy`;
    const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
    await root().request(path, mergePatch({ rules }));
    expect(await world.untilRow('hexabase:deploy', isRepaired)).toMatchObject({
      kind: 'Role',
      opened: [
        {
          sentence: 'Group hexabase:WSUsers may, by the Role hexabase:deploy in shop, get secrets',
        },
      ],
      ...byMallory,
    });
  });

  it('is told of each person apart, however soon one comes after the other', async () => {
    const path = `${rbacPath('shop')}/roles/hexabase:deploy`;
    await world.database.query(`DELETE FROM drift WHERE name = 'hexabase:deploy'`);
    const isWell = async () => {
      const role = (await world.cluster.root.request(path)) as { rules: { resources: string[] }[] };
      return role.rules[0]?.resources[0] === 'pods';
    };
    for (const who of ['one', 'two', 'three']) {
      await poll('the role as it should be', isWell);
      const rules = [{ apiGroups: [''], resources: [who], verbs: ['get'] }];
      await impersonate(world.cluster.root, who).request(path, mergePatch({ rules }));
    }
    const rows = await poll('three authors', async () => {
      const found = await world.rows('hexabase:deploy');
      return found.length === 3 && found.every(({ actor }) => actor !== null) && found;
    });
    expect(rows.map(({ actor }) => actor?.username)).toEqual(['one', 'two', 'three']);
    const opened = rows.map((row) => row.opened[0]?.rules[0]?.resources[0]);
    expect(opened).toEqual(['one', 'two', 'three']);
    await world.database.query(`DELETE FROM drift WHERE name = 'hexabase:deploy'`);
  });

  it('is an object that was deleted', async () => {
    const name = await adminBinding();
    await root().request(`${rbacPath('shop')}/rolebindings/${name}`, { method: 'DELETE' });
    const row = await world.untilRow(name, (each) => each.change === 'deleted' && isRepaired(each));
    expect(row).toMatchObject({ opened: [], ...byMallory });
    expect(await adminBinding()).toBe(name);
  });

  it('is a label that was taken from a namespace', async () => {
    const label = 'app.kubernetes.io/managed-by';
    await root().request(
      '/api/v1/namespaces/shop',
      mergePatch({ metadata: { labels: { [label]: null } } }),
    );
    expect(await world.untilRow('shop', isRepaired)).toMatchObject({
      kind: 'Namespace',
      change: 'modified',
      differences: [{ path: `labels.${label}`, before: 'hexabase-rbac-sync', after: null }],
      ...byMallory,
    });
    const namespace = await world.cluster.root.request('/api/v1/namespaces/shop');
    expect(namespace).toMatchObject({ metadata: { labels: { [label]: 'hexabase-rbac-sync' } } });
  });

  it('is not what the database asked for', async () => {
    const before = await world.database.query('SELECT FROM drift');
    await world.workspace.change('project-role.update', [
      `UPDATE project_role SET rules = $2 WHERE workspace_id = $1 AND name = 'deploy'`,
      world.workspace.id,
      JSON.stringify([{ apiGroups: [''], resources: ['services'], verbs: ['get'] }]),
    ]);
    expect(await world.database.query('SELECT FROM drift')).toHaveLength(before.length);
  });
});

describe('what is reported and stays', () => {
  const aBinding = (name: string) => ({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [group('WSUsers')],
  });

  it('is a binding that an admin made, by name and address, until it goes', async () => {
    const subject = aSubject();
    const ada = await world.cluster.asMember(['WSAdmins'], subject, {
      name: 'Ada Lovelace',
      email: 'ada@example.com',
    });
    const path = `${rbacPath('shop')}/rolebindings`;
    await ada.request(path, {
      method: 'POST',
      body: aBinding('lookers'),
      query: { fieldManager: 'kubectl-create' },
    });
    const row = await world.untilRow('lookers', ({ actor }) => actor !== null);
    expect(row).toMatchObject({
      kind: 'RoleBinding',
      change: 'created',
      action: 'reported',
      resolved_at: null,
      managers: ['kubectl-create'],
      actor: { username: `hexabase:${subject}`, name: 'Ada Lovelace', email: 'ada@example.com' },
      opened: [
        { subject: { name: 'hexabase:WSUsers' }, role: 'ClusterRole view', namespace: 'shop' },
      ],
    });
    await ada.request(`${path}/lookers`, { method: 'DELETE' });
    await world.untilRow('lookers', ({ resolved_at }) => resolved_at !== null);
    expect(await world.rows('lookers')).toHaveLength(1);
  });

  it('is what an admin dressed up as Kubernetes’ own, and what no database takes as it is', async () => {
    const ada = await world.cluster.asMember(['WSAdmins']);
    const path = `${rbacPath('shop')}/rolebindings`;
    const dressedUp = {
      ...aBinding('system:controller:pods'),
      metadata: {
        name: 'system:controller:pods',
        labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      },
    };
    // Cut at 200 characters it would end in half a character.
    const halved = { ...aBinding('halved'), subjects: [group(`${'x'.repeat(190)}\u{1F600}`)] };
    const query = { fieldManager: 'kube-controller-manager' };
    for (const body of [dressedUp, halved]) {
      await ada.request(path, { method: 'POST', body, query });
      await world.untilRow(body.metadata.name, ({ action }) => action === 'reported');
      await ada.request(`${path}/${body.metadata.name}`, { method: 'DELETE' });
      await world.untilRow(body.metadata.name, ({ resolved_at }) => resolved_at !== null);
    }
  });

  it('is a ClusterRole and its binding that root made', async () => {
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    await root().request(`${rbacPath()}/clusterroles`, {
      method: 'POST',
      body: { metadata: { name: 'everything' }, rules },
    });
    await root().request(`${rbacPath()}/clusterrolebindings`, {
      method: 'POST',
      body: {
        metadata: {
          name: 'everything-for-users',
          labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
        },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'everything' },
        subjects: [group('WSUsers')],
      },
    });
    const role = await world.untilRow('everything', ({ actor }) => actor !== null);
    expect(role).toMatchObject({ kind: 'ClusterRole', action: 'reported', ...byMallory });
    const binding = await world.untilRow('everything-for-users', ({ actor }) => actor !== null);
    expect(binding).toMatchObject({
      kind: 'ClusterRoleBinding',
      action: 'reported',
      opened: [
        {
          sentence:
            'Group hexabase:WSUsers may, by the ClusterRole everything in the whole cluster, * *',
        },
      ],
    });
    await root().request(`${rbacPath()}/clusterrolebindings/everything-for-users`, {
      method: 'DELETE',
    });
    await root().request(`${rbacPath()}/clusterroles/everything`, { method: 'DELETE' });
    await world.untilRow('everything', ({ resolved_at }) => resolved_at !== null);
  });

  it('is nothing of Kubernetes’ own', async () => {
    const rows = await world.database.query<{ name: string }>(
      `SELECT name FROM drift WHERE namespace IS DISTINCT FROM 'shop'`,
    );
    expect(rows.filter(({ name }) => /^(system:|cluster-admin$|kube)/.test(name))).toEqual([]);
    const open = await world.database.query('SELECT name FROM drift WHERE resolved_at IS NULL');
    expect(open).toEqual([]);
  });

  it('is counted', async () => {
    const metrics = await poll('the counters', () => world.sync.metrics.metrics());
    expect(metrics).toMatch(
      /hexabase_drift_detected_total\{kind="ResourceQuota",change="modified"\} 1/,
    );
    expect(metrics).toMatch(/hexabase_drift_repaired_total\{kind="RoleBinding"\} 2/);
  });
});
