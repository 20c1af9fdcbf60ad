/** What would change in a cluster, asked while nobody changes it: on a real control plane. */
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { releaseLeases } from '../../../rbac-sync/leases.ts';
import { finishTasks } from '../../../rbac-sync/queries.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { answerAs, insertDiff, readDiff, toLines, untilDiffEnded } from '../../support/diffs.ts';
import {
  connectTestCluster,
  createTestProvisioner,
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

const READ_PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const QUOTA = '/api/v1/namespaces/shop/resourcequotas/hexabase-plan';
const WORKER = 'the-test';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let db: DatabasePool;
let planes: TestProvisioner;
let workspace: WorkspaceRows;
let cluster: TestCluster;
/** What was answered while there was no cluster. */
let first: string;

const startSync = () => startTestController(database, planes.provisioner, { pollIntervalMs: 200 });

/** Has rbac-sync put everything right, and stops it. */
const settle = async (): Promise<void> => {
  await releaseLeases(db, WORKER);
  await using _sync = await startSync();
  // A generation that nothing else was seen of, so that this is a whole look.
  await workspace.untilObserved(await workspace.changeSilently('test.settle'), 60_000);
};

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  db = await database.connectAs('hexabase_rbac_sync');
  planes = stack.use(await createTestProvisioner());
  workspace = await insertWorkspace(database);
  await workspace.changeSilently(
    'project.create',
    aProject(workspace.id, 'shop'),
    aGroup(workspace.id, 'on-call'),
    aProjectRole(workspace.id, 'shop', 'pod-reader', READ_PODS),
    anAssignment(workspace.id, 'on-call', 'shop', 'pod-reader'),
  );
  first = await insertDiff(database, workspace.id);
  await settle();
  cluster = stack.use(await connectTestCluster(planes, workspace.id));
});
afterAll(() => stack.disposeAsync());

const patch = (path: string, body: object) =>
  cluster.root.request(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body,
  });

type Listed = {
  items: { metadata: { name: string; namespace?: string; resourceVersion: string } }[];
};

/** Every object that a diff could touch, with its version. */
const everything = async (): Promise<string[]> => {
  const collections = [
    '/api/v1/namespaces',
    '/api/v1/resourcequotas',
    '/api/v1/limitranges',
    `${RBAC}/roles`,
    `${RBAC}/rolebindings`,
    `${RBAC}/clusterrolebindings`,
  ];
  const lists = await Promise.all(
    collections.map(async (path) => {
      const { items } = (await cluster.root.request(path)) as Listed;
      return items.map(
        ({ metadata: { namespace, name, resourceVersion } }) =>
          `${path} ${namespace ?? ''}/${name} ${resourceVersion}`,
      );
    }),
  );
  return lists.flat();
};

/** Asks, answers and proves that nothing was touched. */
const diff = async () => {
  const id = await insertDiff(database, workspace.id);
  const before = await everything();
  await answerAs(db, WORKER, workspace.id);
  expect(await everything()).toEqual(before);
  const { state, error, result } = await readDiff(database, id);
  expect({ state, error }).toEqual({ state: 'succeeded', error: null });
  return result!;
};

describe('before there is a cluster', () => {
  it('everything is to be made, and no API server was asked', async () => {
    const { state, result } = await untilDiffEnded(database, first);
    expect(state).toBe('succeeded');
    expect(toLines(result?.objects)).toEqual(
      expect.arrayContaining([
        'create Namespace shop',
        'create ResourceQuota shop/hexabase-plan',
        'create Role shop/hexabase:pod-reader',
      ]),
    );
    for (const each of result?.objects ?? []) {
      expect(each).toMatchObject({ action: 'create', before: null, checked: false, refusal: null });
    }
    expect(result?.notes).toEqual([expect.stringMatching(/^There is no cluster yet/)]);
  });
});

describe('in a cluster that is as it should be', () => {
  it('nothing is to be changed', async () => {
    expect(await diff()).toMatchObject({ objects: [], omitted: 0, notes: [] });
  });
});

describe('after changes past the platform', () => {
  beforeEach(settle);

  it('shows what was changed, as it is and as it would be again', async () => {
    await patch(QUOTA, { spec: { hard: { pods: '1234' } } });
    const { objects } = await diff();
    expect(toLines(objects)).toEqual(['update ResourceQuota shop/hexabase-plan']);
    const [{ before, after, checked, refusal } = {}] = objects;
    expect({ checked, refusal }).toEqual({ checked: true, refusal: null });
    expect(before).toMatchObject({ spec: { hard: { pods: '1234' } } });
    expect(after).toMatchObject({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'hexabase-plan', namespace: 'shop' },
    });
    expect(after).not.toMatchObject({ spec: { hard: { pods: '1234' } } });
    for (const object of [before, after]) {
      expect(object).not.toHaveProperty('status');
      expect(Object.keys(object!['metadata'] as object).sort()).toEqual([
        'labels',
        'name',
        'namespace',
      ]);
    }
    // It was right: this is what comes of it.
    await settle();
    expect(await cluster.root.request(QUOTA)).toMatchObject({ spec: after!['spec'] });
  });

  it('shows what was deleted and what was added under our label', async () => {
    const bindings = `${RBAC}/namespaces/shop/rolebindings`;
    const { items } = (await cluster.root.request(bindings)) as Listed;
    const given = items.find(({ metadata }) => metadata.name.includes('pod-reader'))!.metadata.name;
    await cluster.root.request(`${bindings}/${given}`, { method: 'DELETE' });
    await cluster.root.request(`${RBAC}/namespaces/shop/roles`, {
      method: 'POST',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: {
          name: 'extra',
          labels: { 'app.kubernetes.io/managed-by': 'hexabase-rbac-sync' },
        },
        rules: READ_PODS,
      },
    });
    const { objects } = await diff();
    expect(toLines(objects)).toEqual([
      `create RoleBinding shop/${given}`,
      'delete Role shop/extra',
    ]);
    expect(objects[0]).toMatchObject({ before: null, checked: true });
    expect(objects[0]?.after).toMatchObject({
      subjects: [{ kind: 'Group', name: 'hexabase:on-call' }],
    });
    expect(objects[1]).toMatchObject({ after: null, checked: true, refusal: null });
    expect(objects[1]?.before).toMatchObject({ rules: READ_PODS });
  });

  it('shows labels of ours, and those of others on neither side', async () => {
    await patch('/api/v1/namespaces/shop', {
      metadata: {
        labels: {
          theirs: 'kept',
          'kaas.hexabase.io/project': 'other',
        },
      },
    });
    const [object] = (await diff()).objects;
    const labelsOf = (side: Record<string, unknown> | null | undefined) =>
      (side!['metadata'] as { labels: Record<string, string> }).labels;
    expect(labelsOf(object?.before)).toMatchObject({
      'kaas.hexabase.io/project': 'other',
    });
    expect(labelsOf(object?.before)).not.toHaveProperty('theirs');
    expect(labelsOf(object?.after)).not.toHaveProperty('theirs');
    expect(labelsOf(object?.after)['kaas.hexabase.io/project']).toMatch(/^prj_/);
  });

  it('shows what has our name and not our label as it is', async () => {
    await patch(QUOTA, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } });
    const [object] = (await diff()).objects;
    expect(object).toMatchObject({ action: 'update', name: 'hexabase-plan', checked: true });
    expect(object?.before).toMatchObject({ metadata: { name: 'hexabase-plan' } });
  });
});

describe('what the API server has to say', () => {
  beforeEach(settle);

  it('is told in words for a namespace that is somebody else’s, whose content is not tried', async () => {
    await cluster.root.request('/api/v1/namespaces', {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'taken' } },
    });
    await workspace.changeSilently('project.create', aProject(workspace.id, 'taken'));
    const { objects } = await diff();
    const [namespace, ...rest] = objects;
    expect(namespace).toMatchObject({ action: 'update', kind: 'Namespace', name: 'taken' });
    expect(namespace?.refusal).toMatch(/kubectl annotate namespace taken/);
    expect(rest.length).toBeGreaterThan(0);
    for (const each of rest) {
      expect(each).toMatchObject({ namespace: 'taken', checked: false, refusal: null });
    }
    await workspace.changeSilently('project.delete', [
      `DELETE FROM project WHERE workspace_id = $1 AND name = 'taken'`,
      workspace.id,
    ]);
  });

  it('is not asked about a binding with another roleRef, which has to go first', async () => {
    const bindings = `${RBAC}/namespaces/shop/rolebindings`;
    const { items } = (await cluster.root.request(bindings)) as Listed;
    const { name } = items.find(({ metadata }) => metadata.name.includes('pod-reader'))!.metadata;
    await cluster.root.request(`${bindings}/${name}`, { method: 'DELETE' });
    await cluster.root.request(bindings, {
      method: 'POST',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      },
    });
    const { objects } = await diff();
    expect(toLines(objects)).toEqual([`update RoleBinding shop/${name}`]);
    expect(objects[0]).toMatchObject({ checked: false, refusal: null });
    expect(objects[0]?.before).toMatchObject({ roleRef: { name: 'view' } });
    expect(objects[0]?.after).toMatchObject({ roleRef: { name: 'hexabase:pod-reader' } });
  });

  it('is not asked about a namespace that is yet to be made', async () => {
    await workspace.changeSilently('project.create', aProject(workspace.id, 'new'));
    const { objects } = await diff();
    expect(toLines(objects)).toContain('create Namespace new');
    for (const { namespace, checked } of objects) expect(checked).toBe(namespace === null);
  });

  it('is told with the object that it refuses, and the others are shown', async () => {
    await patch('/api/v1/namespaces/shop/limitranges/hexabase-plan', {
      metadata: { labels: { 'kaas.hexabase.io/project': 'other' } },
    });
    await workspace.changeSilently('project.update', [
      `UPDATE project SET quota = '{"no.such/thing/at/all": "1"}' WHERE workspace_id = $1 AND name = 'shop'`,
      workspace.id,
    ]);
    const { objects } = await diff();
    expect(toLines(objects)).toEqual([
      'update ResourceQuota shop/hexabase-plan',
      'update LimitRange shop/hexabase-plan',
    ]);
    expect(objects[0]?.refusal).toMatch(/422 .*no\.such\/thing\/at\/all/);
    expect(objects[1]?.refusal).toBeNull();
    await workspace.changeSilently('project.update', [
      `UPDATE project SET quota = NULL WHERE workspace_id = $1 AND name = 'shop'`,
      workspace.id,
    ]);
  });
});

describe('a diff', () => {
  beforeEach(settle);

  it('is answered by the next replica when the one that began it is gone', async () => {
    const id = await insertDiff(database, workspace.id);
    await answerAs(db, 'one', workspace.id);
    await database.query(
      `UPDATE task SET state = 'running', finished_at = NULL
       WHERE id = (SELECT task_id FROM workspace_diff WHERE id = $1)`,
      [id],
    );
    await database.query('UPDATE workspace_diff SET result = NULL WHERE id = $1', [id]);
    await expect(answerAs(db, 'two', workspace.id)).rejects.toThrow('somebody else');
    await releaseLeases(db, 'one');
    await answerAs(db, 'two', workspace.id);
    expect(await readDiff(database, id)).toMatchObject({ state: 'succeeded' });
    await releaseLeases(db, 'two');
  });

  it('ends with what is wrong when the API server can’t be reached, and holds up nothing', async () => {
    await planes.provisioner.suspend(workspace.id);
    const id = await insertDiff(database, workspace.id);
    await answerAs(db, WORKER, workspace.id);
    const { state, error } = await readDiff(database, id);
    expect(state).toBe('failed');
    expect(error).toMatch(/can’t be reached just now/);
    await ensurePlane(planes.provisioner, workspace.id);
    await settle();
  });

  it('is found without a ring, and raises and ends no generation', async () => {
    await using _sync = await startSync();
    const before = await workspace.row();
    const id = await insertDiff(database, workspace.id);
    expect(await untilDiffEnded(database, id)).toMatchObject({ state: 'succeeded' });
    const after = await workspace.row();
    expect(after.generation).toBe(before.generation);
    expect(after.observed_generation).toBe(before.observed_generation);
  });

  it('is not ended by what is seen of a generation', async () => {
    const id = await insertDiff(database, workspace.id);
    const generation = await workspace.changeSilently('group.create', aGroup(workspace.id, 'late'));
    await database.query(
      `UPDATE task SET state = 'running' WHERE workspace_id = $1 AND generation IS NULL`,
      [workspace.id],
    );
    await finishTasks(db, { workspaceId: workspace.id, generation }, []);
    expect(await readDiff(database, id)).toMatchObject({ state: 'running' });
    await answerAs(db, WORKER, workspace.id);
  });

  it('is called off when the workspace is suspended first', async () => {
    const id = await insertDiff(database, workspace.id);
    await database.query('UPDATE workspace SET suspended_at = now() WHERE id = $1', [workspace.id]);
    await answerAs(db, WORKER, workspace.id);
    expect(await readDiff(database, id)).toMatchObject({
      state: 'cancelled',
      error: expect.stringMatching(/suspended/),
    });
    await database.query('UPDATE workspace SET suspended_at = NULL WHERE id = $1', [workspace.id]);
  });

  it('is forgotten after a day, and all but ten before', async () => {
    await database.query(
      `INSERT INTO task (id, workspace_id, kind, finished_at)
       SELECT gen_random_uuid(), $1, 'workspace.diff', now() FROM generate_series(1, 12)`,
      [workspace.id],
    );
    await database.query(
      `INSERT INTO workspace_diff (id, workspace_id, task_id, result)
       SELECT gen_random_uuid(), $1, id, '{}' FROM task t
       WHERE kind = 'workspace.diff' AND NOT EXISTS (SELECT FROM workspace_diff d WHERE d.task_id = t.id)`,
      [workspace.id],
    );
    await diff();
    const count = async (what = 'true') => {
      const [row] = await database.query<{ count: string }>(
        `SELECT count(*) FROM workspace_diff WHERE ${what}`,
      );
      return Number(row?.count);
    };
    expect(await count('result IS NOT NULL')).toBe(10);
    await database.query('UPDATE workspace_diff SET expires_at = now()');
    await releaseLeases(db, WORKER);
    await using _sync = await startSync();
    await poll('nothing to be left', async () => (await count()) === 0);
  });
});
