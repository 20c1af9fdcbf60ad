/** Names that somebody else has, or had: nothing is lost, and the workspace says what to do. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster, TestController } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { find, make, startSyncedWorkspace, untilSaid } from '../../support/synced-workspace.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  READ_PODS,
  type Statement,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let sync: TestController;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, sync, workspace, cluster } = stack.use(await startSyncedWorkspace()));
});
afterAll(() => stack.disposeAsync());

const namespacePath = (name: string) => `/api/v1/namespaces/${name}`;
const merge = (path: string, body: object) =>
  cluster.root.request(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body,
  });
/** Changes rows without waiting for the end of it. */
const begin = async (kind: string, ...statements: Statement[]): Promise<number> => {
  const generation = await workspace.changeSilently(kind, ...statements);
  sync.controller.enqueue(workspace.id);
  return generation;
};
const without = (name: string): Statement => [
  'DELETE FROM project WHERE workspace_id = $1 AND name = $2',
  workspace.id,
  name,
];
/** As the API records a project's deletion. */
const inNamespace = (generation: number, name: string) =>
  database.query('UPDATE task SET namespace = $3 WHERE workspace_id = $1 AND generation = $2', [
    workspace.id,
    generation,
    name,
  ]);

describe('a namespace that was there before its project', () => {
  it('is left alone until it says that it is the project’s, and the others go on', async () => {
    await make(cluster, '/api/v1/namespaces', {
      metadata: { name: 'taken', labels: { team: 'a' } },
    });
    await make(cluster, `${namespacePath('taken')}/configmaps`, { metadata: { name: 'theirs' } });
    const id = createId();
    const generation = await begin(
      'project.create',
      aProject(workspace.id, 'taken', id),
      aProject(workspace.id, 'beside'),
    );
    const said = await untilSaid(
      workspace,
      'False',
      'The namespace taken was in the cluster before',
    );
    const annotation = `kaas.hexabase.io/adopt=${formatId('project', id)}`;
    expect(said).toMatchObject({
      reason: 'NamespaceTaken',
      message: expect.stringContaining(`kubectl annotate namespace taken ${annotation}`),
    });
    expect(said.message).not.toContain('more');
    expect(await find(cluster, namespacePath('beside'))).toBeDefined();
    expect(
      Object.keys((await find(cluster, namespacePath('taken')))?.metadata.labels ?? {}),
    ).toEqual(['kubernetes.io/metadata.name', 'team']);
    await merge(namespacePath('taken'), {
      metadata: { annotations: { 'kaas.hexabase.io/adopt': 'prj_01k3v7c4h8e2f9r5t6y7z8a9bc' } },
    });
    sync.controller.enqueue(workspace.id);
    await untilSaid(workspace, 'False', 'The namespace taken was in the cluster before');

    await merge(namespacePath('taken'), {
      metadata: { annotations: { 'kaas.hexabase.io/adopt': formatId('project', id) } },
    });
    sync.controller.enqueue(workspace.id);
    await workspace.untilObserved(generation);
    expect((await find(cluster, namespacePath('taken')))?.metadata.labels).toMatchObject({
      team: 'a',
      'app.kubernetes.io/managed-by': 'hexabase-rbac-sync',
      'kaas.hexabase.io/project': formatId('project', id),
    });
    expect(await find(cluster, `${namespacePath('taken')}/configmaps/theirs`)).toBeDefined();
    expect(
      await find(cluster, `${namespacePath('taken')}/resourcequotas/hexabase-plan`),
    ).toBeDefined();
  });

  it('is the project’s still when it lost the label that makes it ours', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'bare'));
    const uid = (await find(cluster, namespacePath('bare')))?.metadata.uid;
    await merge(namespacePath('bare'), {
      metadata: { labels: { 'app.kubernetes.io/managed-by': null } },
    });
    await poll(
      'the label',
      async () =>
        (await find(cluster, namespacePath('bare')))?.metadata.labels?.[
          'app.kubernetes.io/managed-by'
        ],
    );
    expect((await find(cluster, namespacePath('bare')))?.metadata.uid).toBe(uid);
  });
});

describe('a binding made by hand with a name of ours', () => {
  it('gives way to ours, although its roleRef can’t be changed', async () => {
    await workspace.change(
      'project.create',
      aProject(workspace.id, 'hand'),
      aGroup(workspace.id, 'hands'),
      aProjectRole(workspace.id, 'hand', 'reader', READ_PODS),
    );
    const hash = createHash('sha256').update('["Role","hexabase:reader"]').digest('hex');
    const name = `hexabase:reader:${hash.slice(0, 10)}`;
    const path = `${RBAC}/namespaces/hand/rolebindings`;
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    await make(cluster, path, { metadata: { name }, roleRef, subjects: [] });
    const task = await workspace.change(
      'role-assignment.create',
      anAssignment(workspace.id, 'hands', 'hand', 'reader'),
    );
    expect(task.state).toBe('succeeded');
    expect((await find(cluster, `${path}/${name}`))?.roleRef).toMatchObject({
      kind: 'Role',
      name: 'hexabase:reader',
    });
  });
});

describe('a deleted project', () => {
  it('that a finalizer holds says which, and the next of its name waits for it', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'held'));
    const held = `${namespacePath('held')}/configmaps`;
    await make(cluster, held, { metadata: { name: 'held', finalizers: ['example.org/hold'] } });
    await inNamespace(await begin('project.delete', without('held')), 'held');
    await untilSaid(
      workspace,
      'True',
      /The namespace held is still being deleted: .*example\.org\/hold/,
    );
    const generation = await begin('project.create', aProject(workspace.id, 'held'));
    expect(await untilSaid(workspace, 'False', /example\.org\/hold/)).toMatchObject({
      reason: 'NamespaceTerminating',
      message: expect.stringContaining('The project of that name waits until it is gone'),
    });
    await merge(`${held}/held`, { metadata: { finalizers: null } });
    await workspace.untilObserved(generation);
    expect(await find(cluster, `${held}/held`)).toBeUndefined();
    await untilSaid(workspace, 'True', 'Every right is in force');
  });

  it('leaves nothing to the next of its name, also when nobody looked in between', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'again'));
    await make(cluster, `${namespacePath('again')}/configmaps`, { metadata: { name: 'secret' } });
    const uid = (await find(cluster, namespacePath('again')))?.metadata.uid;
    const deletion = await workspace.changeSilently('project.delete', without('again'));
    await inNamespace(deletion, 'again');
    const generation = await begin('project.create', aProject(workspace.id, 'again'));
    await workspace.untilObserved(generation);
    expect((await find(cluster, namespacePath('again')))?.metadata.uid).not.toBe(uid);
    expect(await find(cluster, `${namespacePath('again')}/configmaps/secret`)).toBeUndefined();
  });
});
