/** The life of a workspace on a vCluster: made, used, suspended, upgraded and removed on a real host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { createKubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aSubject, startTestController } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startTestHost, type TestHost } from '../../support/vcluster-host.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let host: TestHost;
let workspace: WorkspaceRows;
let namespace: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  host = stack.use(await startTestHost());
  const provisioner = await host.provisionerWith();
  stack.use(await startTestController(database, provisioner, { pollIntervalMs: 200 }));
});
afterAll(() => stack.disposeAsync());

const onHost = async <Shape>(path: string): Promise<Shape> =>
  (await host.root.request(path.replace('NAMESPACE', namespace))) as Shape;
const countOf = async (path: string): Promise<number> =>
  (await onHost<{ items: unknown[] }>(path)).items.length;
const conditionOf = async (type: string) =>
  (await workspace.row()).conditions.find((each) => each.type === type);
const PODS = '/api/v1/namespaces/NAMESPACE/pods';
/** Helm's own count of the times it was run. */
const revisions = (): Promise<number> =>
  countOf('/api/v1/namespaces/NAMESPACE/secrets?labelSelector=owner%3Dhelm');
const tokenWorks = async (): Promise<void> => {
  const [address] = await database.query<{ server: string; certificate_authority: string }>(
    'SELECT server, certificate_authority FROM workspace_cluster WHERE workspace_id = $1',
    [workspace.id],
  );
  const listAs = async (group: string): Promise<unknown> => {
    const token = await host.issuer.sign({
      audience: formatId('workspace', workspace.id),
      subject: aSubject(),
      groups: [group],
    });
    await using client = createKubernetesClient({
      server: address?.server ?? '',
      certificateAuthority: address?.certificate_authority ?? '',
      credential: { token: () => token },
    });
    return await client.request('/api/v1/namespaces/shop/secrets');
  };
  await listAs('WSAdmins');
  await expect(listAs('Strangers')).rejects.toThrow(/forbidden/);
};

describe('a workspace on a vCluster', () => {
  it('is provisioned, bootstrapped and verified, and its task says so', async () => {
    workspace = await insertWorkspace(database);
    ({ namespace } = hostNames(workspace.id));
    expect(await workspace.untilObserved(1, 50_000)).toMatchObject({ state: 'succeeded' });
    expect(host.node.faults).toEqual([]);
    await workspace.change('project.create', aProject(workspace.id, 'shop'));
    await tokenWorks();
  });

  it('stands behind walls on the host: quota, defaults, Pod Security and network policies', async () => {
    const { metadata } = await onHost<{ metadata: { labels: object } }>(
      '/api/v1/namespaces/NAMESPACE',
    );
    expect(metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'baseline' });
    expect(await countOf('/api/v1/namespaces/NAMESPACE/resourcequotas')).toBe(1);
    expect(await countOf('/api/v1/namespaces/NAMESPACE/limitranges')).toBe(1);
    expect(await countOf('/apis/networking.k8s.io/v1/namespaces/NAMESPACE/networkpolicies')).toBe(
      2,
    );
    await expect(
      host.root.request(PODS.replace('NAMESPACE', namespace), {
        method: 'POST',
        body: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'escape' },
          spec: { hostNetwork: true, containers: [{ name: 'x', image: 'x' }] },
        },
      }),
    ).rejects.toThrow(/violates PodSecurity "baseline/);
  });

  it('takes no second helm while nothing changes', async () => {
    const before = await revisions();
    await workspace.change('project.create', aProject(workspace.id, 'another'));
    expect(await revisions()).toBe(before);
  });

  it('is suspended with its volume kept, and goes on where it was', async () => {
    const claims = '/api/v1/namespaces/NAMESPACE/persistentvolumeclaims';
    const [before] = (await onHost<{ items: { metadata: { uid: string } }[] }>(claims)).items;
    await workspace.change('workspace.suspend', [
      'UPDATE workspace SET suspended_at = now() WHERE id = $1',
      workspace.id,
    ]);
    expect(await countOf(PODS)).toBe(0);
    expect(await conditionOf('Provisioned')).toMatchObject({ reason: 'Suspended' });
    await workspace.change('workspace.resume', [
      'UPDATE workspace SET suspended_at = NULL WHERE id = $1',
      workspace.id,
    ]);
    const [after] = (await onHost<{ items: { metadata: { uid: string } }[] }>(claims)).items;
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    await tokenWorks();
  });
});

describe('another plan', () => {
  it('moves quota, nodes and tolerations to the host', async () => {
    await database.query(
      `INSERT INTO plan (id, name, display_name, project_quota, limit_range, max_projects,
         workspace_quota, isolation, node_selector, tolerations)
       VALUES (gen_random_uuid(), 'own', 'Own', '{}', '[]', 9, '{"pods": "50"}', 'dedicated',
         '{"pool": "acme"}', '[{"key": "dedicated", "operator": "Exists"}]')`,
    );
    await workspace.change('workspace.change-plan', [
      `UPDATE workspace SET plan_id = (SELECT id FROM plan WHERE name = 'own') WHERE id = $1`,
      workspace.id,
    ]);
    const quota = await onHost('/api/v1/namespaces/NAMESPACE/resourcequotas/hexabase-plan');
    expect(quota).toMatchObject({ spec: { hard: { pods: '50' } } });
    expect(await onHost(`${PODS}/vcluster-0`)).toMatchObject({
      spec: {
        nodeSelector: { pool: 'acme' },
        tolerations: expect.arrayContaining([
          expect.objectContaining({ key: 'dedicated', operator: 'Exists' }),
        ]),
      },
    });
    await tokenWorks();
  });
});

describe('a workspace that is over', () => {
  it('leaves nothing on the host', async () => {
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    expect(await onHost(`${roles}/vc-vcluster-v-${namespace}`)).toBeDefined();
    await database.query(
      `UPDATE workspace SET delete_after = now(), generation = generation + 1 WHERE id = $1`,
      [workspace.id],
    );
    await poll('its row to go', async () => {
      const rows = await database.query('SELECT FROM workspace WHERE id = $1', [workspace.id]);
      return rows.length === 0;
    });
    await expect(onHost('/api/v1/namespaces/NAMESPACE')).rejects.toThrow(/404/);
    await expect(onHost(`${roles}/vc-vcluster-v-${namespace}`)).rejects.toThrow(/404/);
  });
});
