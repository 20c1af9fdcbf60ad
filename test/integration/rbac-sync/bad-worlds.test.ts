/** Worlds that are not as they should be: each ends in a condition that says so, and nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { isNotFound } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import type { TestDatabase } from '../../support/database.ts';
import {
  connectTestCluster,
  type TestCluster,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import {
  find,
  make,
  startSyncedWorkspace,
  syncedOf,
  untilSaid,
} from '../../support/synced-workspace.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  insertWorkspace,
  READ_PODS,
  type Statement,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

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

const namespacePath = (name: string) => `/api/v1/namespaces/${name}`;

describe('a quota below what is used', () => {
  it('is in force and said; what is there stays', async () => {
    const quota = (hard: object): Statement => [
      `UPDATE project SET quota = $2 WHERE workspace_id = $1 AND name = 'full'`,
      workspace.id,
      JSON.stringify(hard),
    ];
    await workspace.change(
      'project.create',
      aProject(workspace.id, 'full'),
      quota({ 'count/secrets': '5' }),
    );
    const secrets = `${namespacePath('full')}/secrets`;
    await poll('the first', () => make(cluster, secrets, { metadata: { name: 'a' } }));
    await poll('the second', () => make(cluster, secrets, { metadata: { name: 'b' } }));
    const task = await workspace.change('project.update', quota({ 'count/secrets': '1' }));
    expect(task.state).toBe('succeeded');
    await untilSaid(
      workspace,
      'True',
      /The project full uses more than its quota.*count\/secrets 2 of 1/,
    );
    expect(await find(cluster, `${secrets}/a`)).toBeDefined();
    await cluster.root.request(`${secrets}/a`, { method: 'DELETE' });
    await poll(
      'the all-clear',
      async () => !(await syncedOf(workspace))?.message.includes('its quota'),
    );
  });
});

describe('a role for an API group that the cluster doesn’t have', () => {
  it('is in force for the day when it has, and says so until then', async () => {
    const rules = [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }];
    const task = await workspace.change(
      'role-assignment.create',
      aProject(workspace.id, 'early'),
      aGroup(workspace.id, 'early'),
      aProjectRole(workspace.id, 'early', 'things', rules),
      anAssignment(workspace.id, 'early', 'early', 'things'),
    );
    expect(task.state).toBe('succeeded');
    await untilSaid(
      workspace,
      'True',
      'example.com (role early/hexabase:things)'.replace(/[()]/g, '.'),
    );
    await make(cluster, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    });
    const member = await cluster.asMember(['early']);
    await poll('the custom resource', () =>
      member
        .request('/apis/example.com/v1/namespaces/early/things/none')
        .catch((error: unknown) => {
          // Found nothing of that name: the API is there, and the right.
          if (isNotFound(error) && `${error}`.includes('"none" not found')) return true;
          throw error;
        }),
    );
    sync.controller.enqueue(workspace.id);
    await poll(
      'the note to go',
      async () => !(await syncedOf(workspace))?.message.includes('example.com'),
    );
  });
});

describe('a tree of fifty levels', () => {
  it('works, should one ever come: what is given at the top holds at the bottom', async () => {
    const names = Array.from({ length: 50 }, (_, n) => `level-${n}`);
    const task = await workspace.change(
      'project.create',
      ...names.map((name) => aProject(workspace.id, name)),
      [
        `UPDATE project p SET parent_id = a.id FROM project a
         WHERE p.workspace_id = $1 AND a.workspace_id = $1 AND p.name ~ '^level-[0-9]+$' AND a.name ~ '^level-[0-9]+$'
           AND substr(a.name, 7)::int = substr(p.name, 7)::int - 1`,
        workspace.id,
      ],
      aGroup(workspace.id, 'climbers'),
      aProjectRole(workspace.id, 'level-0', 'reader', READ_PODS),
      anAssignment(workspace.id, 'climbers', 'level-0', 'reader'),
    );
    expect(task.state).toBe('succeeded');
    const member = await cluster.asMember(['climbers']);
    await member.request(`${namespacePath('level-49')}/pods`);
    const labels = (await find(cluster, namespacePath('level-49')))?.metadata.labels ?? {};
    expect(labels['level-0.tree.kaas.hexabase.io/depth']).toBe('49');
  });
});

describe('a group that gets another name for people', () => {
  it('is nothing to write to a cluster', async () => {
    await workspace.change('group.create', aGroup(workspace.id, 'renamed'));
    const written = async () =>
      (await sync.metrics.getSingleMetricAsString('hexabase_objects_written_total')) ?? '';
    const before = await written();
    const task = await workspace.change('group.update', [
      `UPDATE workspace_group SET display_name = 'Another' WHERE workspace_id = $1 AND name = 'renamed'`,
      workspace.id,
    ]);
    expect(task.state).toBe('succeeded');
    expect(await written()).toBe(before);
  });
});

describe('two workspaces with projects of the same name', () => {
  it('have nothing to do with each other', async () => {
    const other = await insertWorkspace(database);
    await other.untilObserved(1, 120_000);
    await using elsewhere = await connectTestCluster(planes, other.id);
    await workspace.change('project.create', aProject(workspace.id, 'beside'));
    await other.change('project.create', aProject(other.id, 'beside'));
    await elsewhere.root.request(namespacePath('beside'), { method: 'DELETE' });
    const there = await find(elsewhere, namespacePath('beside'));
    const here = await find(cluster, namespacePath('beside'));
    expect(there?.metadata.labels?.['kaas.hexabase.io/workspace']).toBe(
      formatId('workspace', other.id),
    );
    expect(here?.metadata.labels?.['kaas.hexabase.io/workspace']).toBe(
      formatId('workspace', workspace.id),
    );
    expect(here?.metadata).not.toHaveProperty('deletionTimestamp');
  });
});
