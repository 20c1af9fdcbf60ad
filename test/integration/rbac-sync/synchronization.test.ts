/** What rbac-sync makes of rows: on a real database and a real control plane. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import { findObject } from '../../../rbac-sync/cluster/object-requests.ts';
import type { TestDatabase } from '../../support/database.ts';
import {
  startTestController,
  type TestCluster,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startSyncedWorkspace } from '../../support/synced-workspace.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  noAssignments,
  READ_PODS,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let sync: TestController;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, planes, sync, workspace, cluster } = stack.use(await startSyncedWorkspace()));
});
afterAll(() => stack.disposeAsync());

const namesIn = async (path: string): Promise<string[]> => {
  const { items } = (await cluster.root.request(path)) as {
    items: { metadata: { name: string } }[];
  };
  return items.map(({ metadata }) => metadata.name);
};
const find = (path: string) =>
  findObject(cluster.root, path) as Promise<Record<string, unknown> | undefined>;
const may = (client: KubernetesClient, path: string): Promise<boolean> =>
  client.request(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof KubernetesError && error.status === 403) return false;
      throw error;
    },
  );
const currentConditions = async () =>
  Object.fromEntries((await workspace.row()).conditions.map((each) => [each.type, each]));

describe('a new workspace', () => {
  it('is provisioned, trusts the issuer and is in sync', async () => {
    expect(await currentConditions()).toMatchObject({
      Provisioned: { status: 'True' },
      TrustsIssuer: { status: 'True' },
      Synced: { status: 'True' },
    });
  });

  it('lets its admins read the cluster, and nobody else anything', async () => {
    const admin = await cluster.asMember(['WSAdmins', 'WorkspaceMembers']);
    const member = await cluster.asMember(['WorkspaceMembers']);
    expect(await may(admin, `${RBAC}/clusterroles`)).toBe(true);
    expect(await may(admin, '/api/v1/nodes')).toBe(true);
    expect(await may(admin, '/api/v1/namespaces/kube-system/secrets')).toBe(false);
    expect(await may(member, '/api/v1/namespaces')).toBe(false);
  });

  it('keeps the sync identity’s token sealed', async () => {
    const [row] = await database.query<{ sealed_token: Buffer }>(
      'SELECT sealed_token FROM workspace_cluster WHERE workspace_id = $1',
      [workspace.id],
    );
    expect(row?.sealed_token.length).toBeGreaterThan(100);
    expect(row?.sealed_token.toString('latin1')).not.toContain('eyJ');
  });
});

describe('a change', () => {
  it('makes a project: its namespace with the plan’s quota and limits, and its admins', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'shop'));
    expect(await find('/api/v1/namespaces/shop/resourcequotas/hexabase-plan')).toMatchObject({
      spec: { hard: { pods: '20', 'limits.memory': '8Gi' } },
    });
    expect(await find('/api/v1/namespaces/shop/limitranges/hexabase-plan')).toBeDefined();
    const admin = await cluster.asMember(['WSAdmins']);
    expect(await may(admin, '/api/v1/namespaces/shop/secrets')).toBe(true);
    expect(await may(admin, '/api/v1/namespaces/default/secrets')).toBe(false);
  });

  it('gives a group a role and takes it away, in force when the task ends', async () => {
    const member = await cluster.asMember(['sig-node', 'WorkspaceMembers']);
    expect(await may(member, '/api/v1/namespaces/shop/pods')).toBe(false);
    const task = await workspace.change(
      'role-assignment.create',
      aGroup(workspace.id, 'sig-node'),
      aProjectRole(workspace.id, 'shop', 'pod-reader', READ_PODS),
      anAssignment(workspace.id, 'sig-node', 'shop', 'pod-reader'),
    );
    expect(task).toMatchObject({ state: 'succeeded', progress: 100, error: null });
    expect(await may(member, '/api/v1/namespaces/shop/pods')).toBe(true);
    expect(await may(member, '/api/v1/namespaces/shop/secrets')).toBe(false);
    expect(await may(member, '/api/v1/namespaces/default/pods')).toBe(false);

    await workspace.change('role-assignment.delete', noAssignments(workspace.id, 'sig-node'));
    expect(await may(member, '/api/v1/namespaces/shop/pods')).toBe(false);

    await workspace.change(
      'role-assignment.create',
      anAssignment(workspace.id, 'sig-node', 'shop', 'pod-reader'),
    );
    expect(await may(member, '/api/v1/namespaces/shop/pods')).toBe(true);
  });

  it('of a role’s rules is in force when the task ends', async () => {
    const member = await cluster.asMember(['sig-node']);
    const setRules = (rules: unknown) =>
      [
        `UPDATE project_role SET rules = $2 WHERE workspace_id = $1 AND name = 'pod-reader'`,
        workspace.id,
        JSON.stringify(rules),
      ] as const;
    await workspace.change(
      'project-role.update',
      setRules([{ apiGroups: [''], resources: ['services'], verbs: ['list'] }]),
    );
    expect(await may(member, '/api/v1/namespaces/shop/services')).toBe(true);
    expect(await may(member, '/api/v1/namespaces/shop/pods')).toBe(false);
    await workspace.change('project-role.update', setRules(READ_PODS));
    expect(await may(member, '/api/v1/namespaces/shop/pods')).toBe(true);
  });

  it('is found without a ring', async () => {
    await using other = await startTestController(database, planes.provisioner, {
      pollIntervalMs: 200,
    });
    const generation = await workspace.changeSilently(
      'project.create',
      aProject(workspace.id, 'quiet'),
    );
    // The lease is the first controller's: the second must not touch it.
    await sync[Symbol.asyncDispose]();
    await workspace.untilObserved(generation);
    expect(await find('/api/v1/namespaces/quiet')).toBeDefined();
    await other[Symbol.asyncDispose]();
    sync = stack.use(await startTestController(database, planes.provisioner));
  });

  it('that changes nothing writes nothing', async () => {
    const list = async () =>
      Promise.all(
        [
          '/api/v1/namespaces',
          `${RBAC}/rolebindings`,
          `${RBAC}/roles`,
          '/api/v1/resourcequotas',
        ].map((path) => cluster.root.request(`${path}`)),
      );
    const versions = async () =>
      (await list()).flatMap((page) =>
        (page as { items: { metadata: { uid: string; resourceVersion: string } }[] }).items.map(
          ({ metadata }) => `${metadata.uid}/${metadata.resourceVersion}`,
        ),
      );
    await workspace.change('nothing');
    const before = await versions();
    await workspace.change('nothing');
    expect(await versions()).toEqual(before);
  });

  it('deletes a project with everything in it', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'gone'));
    const admin = await cluster.asMember(['WSAdmins']);
    expect(await may(admin, '/api/v1/namespaces/gone/secrets')).toBe(true);
    await workspace.change('project.delete', [
      `DELETE FROM project WHERE workspace_id = $1 AND name = 'gone'`,
      workspace.id,
    ]);
    expect(await may(admin, '/api/v1/namespaces/gone/secrets')).toBe(false);
    await poll('the namespace to go', async () => !(await find('/api/v1/namespaces/gone')));
  });

  it('makes a project again whose namespace is still going', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'phoenix'));
    const uidOf = async () =>
      ((await find('/api/v1/namespaces/phoenix')) as { metadata: { uid: string } } | undefined)
        ?.metadata.uid;
    const first = await uidOf();
    await workspace.change('project.delete', [
      `DELETE FROM project WHERE workspace_id = $1 AND name = 'phoenix'`,
      workspace.id,
    ]);
    const task = await workspace.change('project.create', aProject(workspace.id, 'phoenix'));
    expect(task.state).toBe('succeeded');
    expect(await uidOf()).not.toBe(first);
  });
});

describe('drift', () => {
  const bindingPath = async () => {
    const names = await namesIn(`${RBAC}/namespaces/shop/rolebindings`);
    const name = names.find((each) => each.startsWith('hexabase:pod-reader:'));
    return `${RBAC}/namespaces/shop/rolebindings/${name}`;
  };
  const merge = (path: string, body: object) =>
    cluster.root.request(path, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body,
    });
  const repaired = (path: string, isWell: (object: Record<string, unknown>) => boolean) =>
    poll(`the repair of ${path}`, async () => {
      const object = await find(path);
      return object !== undefined && isWell(object);
    });
  const labelsOf = (object: Record<string, unknown>) =>
    (object['metadata'] as { labels?: Record<string, string> }).labels ?? {};

  // Each case is a mishap of its own: many repairs of one object within minutes are a fight.
  beforeEach(() => database.query('DELETE FROM drift'));

  it.each([
    ['a quota', async () => '/api/v1/namespaces/shop/resourcequotas/hexabase-plan'],
    ['a limit range', async () => '/api/v1/namespaces/shop/limitranges/hexabase-plan'],
    ['a role', async () => `${RBAC}/namespaces/shop/roles/hexabase:pod-reader`],
    ['a binding', bindingPath],
    [
      'a cluster-wide binding',
      async () => {
        const names = await namesIn(`${RBAC}/clusterrolebindings`);
        return `${RBAC}/clusterrolebindings/${names.find((name) => name.startsWith('hexabase:workspace-viewer:'))}`;
      },
    ],
    ['a namespace', async () => '/api/v1/namespaces/quiet'],
  ])('%s that is deleted comes back', async (_name, locate) => {
    const path = await locate();
    const uidOf = (object: Record<string, unknown>) => (object['metadata'] as { uid: string }).uid;
    const before = await find(path);
    if (!before) throw new Error(`${path} was not there`);
    await cluster.root.request(path, { method: 'DELETE' });
    await repaired(path, (object) => uidOf(object) !== uidOf(before));
  });

  it('a subject that is added goes', async () => {
    const path = await bindingPath();
    const { subjects } = (await find(path)) as { subjects: object[] };
    const intruder = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'hexabase:x' };
    await merge(path, { subjects: [...subjects, intruder] });
    await repaired(path, (object) => (object['subjects'] as object[]).length === subjects.length);
  });

  it('a role’s rules that are edited are put back', async () => {
    const path = `${RBAC}/namespaces/shop/roles/hexabase:pod-reader`;
    await merge(path, { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] });
    await repaired(path, (object) => isDeepStrictEqual(object['rules'], READ_PODS));
  });

  it('a quota that is raised is put back', async () => {
    const path = '/api/v1/namespaces/shop/resourcequotas/hexabase-plan';
    await merge(path, { spec: { hard: { pods: '1000' } } });
    await repaired(
      path,
      (object) => (object as { spec: { hard: { pods: string } } }).spec.hard.pods === '20',
    );
  });

  it.each([
    ['of ours, changed', 'kaas.hexabase.io/project', 'prj_other'],
    ['that marks it as ours, removed', 'app.kubernetes.io/managed-by', null],
  ])('a label %s, is put back', async (_name, label, value) => {
    const path = await bindingPath();
    const before = labelsOf((await find(path)) ?? {})[label];
    await merge(path, { metadata: { labels: { [label]: value } } });
    await repaired(path, (object) => labelsOf(object)[label] === before);
  });
});

describe('what isn’t ours', () => {
  it('is left alone and reported', async () => {
    const admin = await cluster.asMember(['WSAdmins']);
    await admin.request(`${RBAC}/namespaces/shop/rolebindings`, {
      method: 'POST',
      body: {
        metadata: { name: 'their-own' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [
          { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'hexabase:sig-node' },
        ],
      },
    });
    await poll('the report', async () =>
      (await currentConditions())['Synced']?.message.includes('shop/their-own'),
    );
    await workspace.change('nothing');
    expect(await find(`${RBAC}/namespaces/shop/rolebindings/their-own`)).toBeDefined();
  });

  it('may still allow what was taken away, and then it is said', async () => {
    await workspace.change('role-assignment.delete', noAssignments(workspace.id, 'sig-node'));
    expect((await currentConditions())['Synced']).toMatchObject({
      status: 'True',
      // The proof names it at once; any later look lists it among what isn't ours.
      message: expect.stringMatching(
        /sig-node may .* by RoleBinding their-own\/shop|shop\/their-own/,
      ),
    });
  });
});

describe('a namespace that can’t be brought up to date', () => {
  const taskOf = async (namespace: string) =>
    (
      await database.query<{ state: string; error: string | null }>(
        'SELECT state, error FROM task WHERE workspace_id = $1 AND namespace = $2',
        [workspace.id, namespace],
      )
    )[0];
  const inNamespace = (name: string): [string, ...unknown[]] => [
    'UPDATE task SET namespace = $2 WHERE workspace_id = $1 AND finished_at IS NULL AND namespace IS NULL',
    workspace.id,
    name,
  ];

  it('holds up no other, and is said', async () => {
    const settle = async (name: string, quota: string | null) => {
      await workspace.changeSilently('project.create', aProject(workspace.id, name), [
        'UPDATE project SET quota = $1 WHERE name = $2',
        quota,
        name,
      ]);
      const [text, ...values] = inNamespace(name);
      await database.query(text, values);
      sync.controller.enqueue(workspace.id);
    };
    await settle('brick', '{"no/such/name": "1"}');
    await settle('fine', null);
    await poll('the other project', async () => (await taskOf('fine'))?.state === 'succeeded');
    // Each new try forgets the fault of the one before until it fails itself.
    await poll('the fault to be said', async () =>
      (await taskOf('brick'))?.error?.includes('no/such/name'),
    );
    expect(await taskOf('brick')).toMatchObject({ state: 'running' });
    expect((await currentConditions())['Synced']).toMatchObject({ status: 'False' });
    await workspace.change('project.delete', [
      `DELETE FROM project WHERE workspace_id = $1 AND name IN ('brick', 'fine')`,
      workspace.id,
    ]);
    await poll(
      'the broken project to be gone',
      async () => (await taskOf('brick'))?.state === 'succeeded',
    );
  });

  it('ends the task of its deletion only when it is gone', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'sticky'));
    const stuck = { metadata: { name: 'stuck', finalizers: ['example.org/hold'] } };
    const path = '/api/v1/namespaces/sticky/configmaps';
    await cluster.root.request(path, { method: 'POST', body: stuck });
    await workspace.changeSilently('project.delete', [
      `DELETE FROM project WHERE workspace_id = $1 AND name = 'sticky'`,
      workspace.id,
    ]);
    const [text, ...values] = inNamespace('sticky');
    await database.query(text, values);
    sync.controller.enqueue(workspace.id);
    await poll('the deletion to be said', async () =>
      Boolean(
        (await currentConditions())['Synced']?.message.includes('sticky is still being deleted'),
      ),
    );
    expect(await taskOf('sticky')).toMatchObject({ state: 'running' });
    await cluster.root.request(`${path}/stuck`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: null } },
    });
    await poll(
      'the task to end',
      async () => (await taskOf('sticky'))?.state === 'succeeded',
      60_000,
    );
    expect(await find('/api/v1/namespaces/sticky')).toBeUndefined();
  });
});
