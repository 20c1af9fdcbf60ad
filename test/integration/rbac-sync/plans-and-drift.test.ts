/** What plans give, and what somebody changes past the platform: on a real control plane. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster, TestController } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startSyncedWorkspace } from '../../support/synced-workspace.ts';
import { aProject, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let sync: TestController;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, sync, workspace, cluster } = stack.use(
    await startSyncedWorkspace({ pollIntervalMs: 200 }),
  ));
  await workspace.change('project.create', aProject(workspace.id, 'shop'));
});
afterAll(() => stack.disposeAsync());

const conditions = async () =>
  Object.fromEntries((await workspace.row()).conditions.map((each) => [each.type, each]));
const quotaOf = (project: string) => `/api/v1/namespaces/${project}/resourcequotas/hexabase-plan`;
const hardOf = async (project: string): Promise<Record<string, string>> => {
  const quota = await cluster.root.request(quotaOf(project));
  return (quota as { spec: { hard: Record<string, string> } }).spec.hard;
};

describe('another plan', () => {
  it('reaches every project: its quota and its limits, and what it had of its own', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'own'), [
      `UPDATE project SET quota = '{"pods": "7"}' WHERE workspace_id = $1 AND name = 'own'`,
      workspace.id,
    ]);
    await database.query(
      `INSERT INTO plan (id, name, display_name, project_quota, limit_range, max_projects)
       VALUES (gen_random_uuid(), 'wide', 'Wide', '{"pods": "77", "services": "9"}', '[]', 9)`,
    );
    await workspace.change('workspace.change-plan', [
      `UPDATE workspace SET plan_id = (SELECT id FROM plan WHERE name = 'wide') WHERE id = $1`,
      workspace.id,
    ]);
    expect(await hardOf('shop')).toEqual({ pods: '77', services: '9' });
    expect(await hardOf('own')).toEqual({ pods: '7', services: '9' });
    const ranges = (await cluster.root.request('/api/v1/namespaces/shop/limitranges')) as {
      items: unknown[];
    };
    expect(ranges.items).toEqual([]);
  });
});

describe('a plan that is changed', () => {
  it('reaches the clusters of all who have it, without anyone ringing', async () => {
    await database.query(`UPDATE plan SET project_quota = '{"pods": "66"}' WHERE name = 'wide'`);
    await poll('the quota', async () => {
      const hard = await hardOf('shop');
      return hard['pods'] === '66' && hard['services'] === undefined;
    });
    await poll('it to be seen', async () => {
      const { generation, observed_generation } = await workspace.row();
      return generation === observed_generation;
    });
    expect((await conditions())['Drifted']).toMatchObject({ status: 'False' });
  });
});

describe('drift', () => {
  it('is said with what was put back, until a look finds none a minute later', async () => {
    await cluster.root.request(quotaOf('shop'), {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { spec: { hard: { pods: '1000' } } },
    });
    await poll('the report', async () => (await conditions())['Drifted']?.status === 'True');
    expect((await conditions())['Drifted']).toMatchObject({
      reason: 'Repaired',
      message: expect.stringMatching(/^1 object was .*ResourceQuota shop\/hexabase-plan/),
    });
    await database.query(
      `UPDATE workspace SET conditions = (
         SELECT jsonb_agg(CASE c ->> 'type' WHEN 'Drifted'
           THEN c || jsonb_build_object('lastTransitionTime', now() - interval '1 minute') ELSE c END)
         FROM jsonb_array_elements(conditions) AS c
       ) WHERE id = $1`,
      [workspace.id],
    );
    sync.controller.enqueue(workspace.id);
    await poll('the all-clear', async () => (await conditions())['Drifted']?.status === 'False');
  });

  it('is not what the database has asked for', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'asked'));
    expect((await conditions())['Drifted']).toMatchObject({ status: 'False' });
  });
});

describe('a plan that isolates projects', () => {
  const policyOf = (project: string) =>
    `/apis/networking.k8s.io/v1/namespaces/${project}/networkpolicies/hexabase-plan`;
  const networkPolicy = (network_policy: string) =>
    workspace.change('workspace.change-plan', [
      `UPDATE plan SET network_policy = $2
       WHERE id = (SELECT plan_id FROM workspace WHERE id = $1)`,
      workspace.id,
      network_policy,
    ]);

  it('closes each to what is not of its tree, and opens it again', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'below'), [
      `UPDATE project SET parent_id = (SELECT id FROM project WHERE workspace_id = $1 AND name = 'shop')
       WHERE workspace_id = $1 AND name = 'below'`,
      workspace.id,
    ]);
    await networkPolicy('isolate');
    for (const project of ['shop', 'below']) {
      expect(await cluster.root.request(policyOf(project))).toMatchObject({
        spec: {
          podSelector: {},
          policyTypes: ['Ingress'],
          ingress: [
            {
              from: [
                {
                  namespaceSelector: {
                    matchExpressions: [
                      { key: 'shop.tree.kaas.hexabase.io/depth', operator: 'Exists' },
                    ],
                  },
                },
              ],
            },
          ],
        },
      });
    }
    await networkPolicy('none');
    await expect(cluster.root.request(policyOf('shop'))).rejects.toMatchObject({ status: 404 });
  });

  it('puts its network policy back', async () => {
    await networkPolicy('isolate');
    const version = async () => {
      const { metadata } = (await cluster.root.request(policyOf('shop'))) as {
        metadata: { uid: string };
      };
      return metadata.uid;
    };
    const before = await version();
    await cluster.root.request(policyOf('shop'), { method: 'DELETE' });
    await poll('another', async () => (await version().catch(() => before)) !== before);
  });
});
