/** Trees of projects in a cluster: what is given above holds below, on a real control plane. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLE_TEMPLATES } from '#domain/role-templates.ts';
import type { KubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster, TestController } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startSyncedWorkspace } from '../../support/synced-workspace.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  noAssignments,
  type Statement,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const READ_PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }];
const READ_JOBS = [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['list'] }];

let stack: AsyncDisposableStack;
let database: TestDatabase;
let sync: TestController;
let workspace: WorkspaceRows;
let cluster: TestCluster;

/** top ─ mid ─ low, top ─ beside, and apart by itself. */
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, sync, workspace, cluster } = stack.use(await startSyncedWorkspace()));
  await workspace.change(
    'project.create',
    ...['top', 'mid', 'low', 'beside', 'apart'].map((name) => aProject(workspace.id, name)),
    move('mid', 'top'),
    move('low', 'mid'),
    move('beside', 'top'),
    aGroup(workspace.id, 'team'),
    aProjectRole(workspace.id, 'top', 'reader', READ_PODS),
  );
});
afterAll(() => stack.disposeAsync());

const move = (name: string, parent: string | null): Statement => [
  `UPDATE project SET parent_id = (SELECT id FROM project WHERE workspace_id = $1 AND name = $3)
   WHERE workspace_id = $1 AND name = $2`,
  workspace.id,
  name,
  parent,
];
const aPreset = (group: string, project: string, preset: string): Statement => [
  `INSERT INTO role_assignment (id, workspace_id, group_id, project_id, preset_role)
   SELECT gen_random_uuid(), $1, g.id, j.id, $4 FROM workspace_group g, project j
   WHERE g.workspace_id = $1 AND g.name = $2 AND j.workspace_id = $1 AND j.name = $3`,
  workspace.id,
  group,
  project,
  preset,
];

/** What `kubectl auth can-i` asks. */
const canI = async (
  client: KubernetesClient,
  verb: string,
  { namespace, resource, group = '' }: { namespace: string; resource: string; group?: string },
): Promise<boolean> => {
  const { status } = (await client.request(
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      method: 'POST',
      body: { spec: { resourceAttributes: { namespace, verb, group, resource } } },
    },
  )) as { status: { allowed: boolean } };
  return status.allowed;
};
/** The namespaces in which someone of these groups may do it. */
const whereMay = async (verb: string, resource: string, group = ''): Promise<string[]> => {
  const member = await cluster.asMember(['team', 'WorkspaceMembers']);
  const namespaces = ['top', 'mid', 'low', 'beside', 'apart', 'default', 'kube-system'];
  const answers = await Promise.all(
    namespaces.map((namespace) => canI(member, verb, { namespace, resource, group })),
  );
  return namespaces.filter((_, index) => answers[index]);
};
const namespacesWith = async (selector: string): Promise<string[]> => {
  const path = `/api/v1/namespaces?labelSelector=${encodeURIComponent(selector)}`;
  const { items } = (await cluster.root.request(path)) as {
    items: { metadata: { name: string } }[];
  };
  return items.map(({ metadata }) => metadata.name).sort();
};
const rolesIn = async (namespace: string): Promise<Record<string, unknown>> => {
  const { items } = (await cluster.root.request(`${RBAC}/namespaces/${namespace}/roles`)) as {
    items: { metadata: { name: string }; rules: unknown }[];
  };
  return Object.fromEntries(items.map(({ metadata, rules }) => [metadata.name, rules]));
};

describe('what is given in a project', () => {
  it('holds in those below when the task ends, and nowhere else; and is gone below as well', async () => {
    expect(await whereMay('list', 'pods')).toEqual([]);
    await workspace.change(
      'role-assignment.create',
      anAssignment(workspace.id, 'team', 'top', 'reader'),
    );
    expect(await whereMay('list', 'pods')).toEqual(['top', 'mid', 'low', 'beside']);
    expect(await whereMay('list', 'secrets')).toEqual([]);
    const member = await cluster.asMember(['team']);
    const { items } = (await member.request('/api/v1/namespaces/low/pods')) as { items: unknown[] };
    expect(items).toEqual([]);
    await workspace.change('role-assignment.delete', noAssignments(workspace.id, 'team'));
    expect(await whereMay('list', 'pods')).toEqual([]);
    expect(await rolesIn('low')).toEqual({});
  });

  it('goes along as a Role beside the child’s own of that name', async () => {
    await workspace.change(
      'role-assignment.create',
      aProjectRole(workspace.id, 'low', 'reader', READ_JOBS),
      anAssignment(workspace.id, 'team', 'mid', 'reader'),
      anAssignment(workspace.id, 'team', 'top', 'reader'),
    );
    expect(await rolesIn('low')).toEqual({
      'hexabase:reader': READ_JOBS,
      'hexabase:reader.top': READ_PODS,
    });
    expect(await whereMay('list', 'pods')).toEqual(['top', 'mid', 'low', 'beside']);
    expect(await whereMay('list', 'jobs', 'batch')).toEqual([]);
    await workspace.change(
      'role-assignment.create',
      anAssignment(workspace.id, 'team', 'low', 'reader'),
    );
    expect(await whereMay('list', 'jobs', 'batch')).toEqual(['low']);
  });

  it('changes below with the role', async () => {
    const setRules = (rules: unknown): Statement => [
      `UPDATE project_role r SET rules = $2 FROM project j
       WHERE r.workspace_id = $1 AND r.project_id = j.id AND j.name = 'top'`,
      workspace.id,
      JSON.stringify(rules),
    ];
    await workspace.change(
      'project-role.update',
      setRules([{ apiGroups: [''], resources: ['services'], verbs: ['list'] }]),
    );
    expect(await whereMay('list', 'pods')).toEqual([]);
    expect(await whereMay('list', 'services')).toEqual(['top', 'mid', 'low', 'beside']);
    await workspace.change('project-role.update', setRules(READ_PODS));
  });

  it('is gone after a move, and what is given in the new ancestors holds', async () => {
    await workspace.change('role-assignment.create', aPreset('team', 'apart', 'workspace-viewer'));
    expect(await whereMay('get', 'configmaps')).toEqual(['apart']);
    await workspace.change('project.move', move('mid', 'apart'));
    expect(await whereMay('list', 'pods')).toEqual(['top', 'mid', 'low', 'beside', 'apart']);
    expect(await whereMay('get', 'configmaps')).toEqual(['mid', 'low', 'apart']);
    expect(Object.keys(await rolesIn('mid'))).toEqual([]);
    await workspace.change('project.move', move('mid', null));
    expect(await whereMay('list', 'pods')).toEqual(['top', 'beside', 'apart']);
    expect(await whereMay('get', 'configmaps')).toEqual(['apart']);
    await workspace.change('project.move', move('mid', 'top'));
    expect(await whereMay('list', 'pods')).toEqual(['top', 'mid', 'low', 'beside', 'apart']);
  });

  it('is not given again once it has expired', async () => {
    await workspace.change('role-assignment.delete', noAssignments(workspace.id, 'team'));
    await workspace.change(
      'role-assignment.create',
      anAssignment(workspace.id, 'team', 'top', 'reader'),
      aPreset('team', 'mid', 'workspace-viewer'),
      [
        `UPDATE role_assignment SET expires_at = now() WHERE workspace_id = $1 AND preset_role IS NULL`,
        workspace.id,
      ],
    );
    expect(await whereMay('get', 'configmaps')).toEqual(['mid', 'low']);
    expect(await whereMay('list', 'pods')).toEqual(['mid', 'low']);
    await workspace.change('role-assignment.delete', noAssignments(workspace.id, 'team'));
  });
});

describe('tree labels', () => {
  const label = (name: string) => `${name}.tree.kaas.hexabase.io/depth`;

  it('select a project with all below it, and a level', async () => {
    expect(await namespacesWith(label('top'))).toEqual(['beside', 'low', 'mid', 'top']);
    expect(await namespacesWith(`${label('top')}=1`)).toEqual(['beside', 'mid']);
    expect(await namespacesWith(label('mid'))).toEqual(['low', 'mid']);
    expect(await namespacesWith(`${label('low')}=0`)).toEqual(['low']);
    expect(await namespacesWith(`!${label('top')},${label('apart')}`)).toEqual(['apart']);
  });

  it('change with a move, also one to the top', async () => {
    await workspace.change('project.move', move('mid', 'apart'));
    expect(await namespacesWith(label('top'))).toEqual(['beside', 'top']);
    expect(await namespacesWith(label('apart'))).toEqual(['apart', 'low', 'mid']);
    await workspace.change('project.move', move('mid', null));
    expect(await namespacesWith(label('apart'))).toEqual(['apart']);
    expect(await namespacesWith(label('mid'))).toEqual(['low', 'mid']);
    await workspace.change('project.move', move('mid', 'top'));
  });

  it('are nobody’s else to set', async () => {
    const admin = await cluster.asMember(['WSAdmins', 'WorkspaceMembers']);
    const forged = admin.request('/api/v1/namespaces/apart', {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { [label('top')]: '1' } } },
    });
    await expect(forged).rejects.toThrow(KubernetesError);
    expect(await namespacesWith(label('top'))).toEqual(['beside', 'low', 'mid', 'top']);
  });
});

describe('the templates', () => {
  it('are each accepted as a Role, in their project and below it', async () => {
    await workspace.change(
      'role-assignment.create',
      ...ROLE_TEMPLATES.flatMap(({ name, rules }) => [
        aProjectRole(workspace.id, 'mid', name, rules),
        anAssignment(workspace.id, 'team', 'mid', name),
      ]),
    );
    const [own, below] = [await rolesIn('mid'), await rolesIn('low')];
    for (const { name, rules } of ROLE_TEMPLATES) {
      expect(own[`hexabase:${name}`]).toEqual(rules);
      expect(below[`hexabase:${name}.mid`]).toEqual(rules);
    }
    expect(await whereMay('create', 'pods/exec')).toEqual(['mid', 'low']);
    expect(await whereMay('create', 'deployments', 'apps')).toEqual(['mid', 'low']);
  });
});

describe('the task of a change', () => {
  it('ends when all its namespaces have it, and waits for no other', async () => {
    const stateOf = async (kind: string) =>
      (
        await database.query<{ state: string }>(
          'SELECT state FROM task WHERE workspace_id = $1 AND kind = $2',
          [workspace.id, kind],
        )
      )[0]?.state;
    const within = async (kind: string, namespace: string, namespaces: readonly string[]) => {
      await workspace.changeSilently(kind);
      await database.query(
        'UPDATE task SET namespace = $3, namespaces = $4 WHERE workspace_id = $1 AND kind = $2',
        [workspace.id, kind, namespace, namespaces],
      );
    };
    const setQuota = (quota: string | null): Promise<unknown> =>
      database.query('UPDATE project SET quota = $2 WHERE workspace_id = $1 AND name = $3', [
        workspace.id,
        quota,
        'low',
      ]);
    await setQuota('{"no/such/name": "1"}');
    await within('of-the-tree', 'top', ['top', 'mid', 'low', 'beside']);
    await within('of-a-part', 'beside', ['beside']);
    sync.controller.enqueue(workspace.id);
    await poll('the part', async () => (await stateOf('of-a-part')) === 'succeeded');
    expect(await stateOf('of-the-tree')).toBe('running');
    await setQuota(null);
    sync.controller.enqueue(workspace.id);
    await poll('the tree', async () => (await stateOf('of-the-tree')) === 'succeeded', 30_000);
  });
});
