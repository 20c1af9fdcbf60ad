/** Clusters that exist already, attached to workspaces by kubeconfigs: good ones, and every bad world. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import type { KubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import type { Provisioner } from '../../../rbac-sync/provisioners/provisioner.ts';
import {
  attach,
  attachedProvisioner,
  type ExistingCluster,
  startExistingCluster,
  toKubeconfig,
} from '../../support/attached-cluster.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  createTestProvisioner,
  ensurePlane,
  startTestController,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { createProbeKeys, type ProbeKeys } from '../../support/probe-client.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let keys: ProbeKeys;
let attached: Provisioner;
let sync: TestController | undefined;
let cluster: ExistingCluster;
let other: ExistingCluster;
let workspace: WorkspaceRows;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  keys = await createProbeKeys();
  database = stack.use(await createTestDatabase());
  planes = stack.use(await createTestProvisioner());
  workspace = await insertWorkspace(database, async (id) => sync?.controller.enqueue(id));
  await database.query(`UPDATE workspace SET provisioner = 'attached' WHERE id = $1`, [
    workspace.id,
  ]);
  // Its owner has installed the AuthenticationConfiguration of the workspace.
  cluster = await startExistingCluster(planes.provisioner, stack, workspace.id);
  other = await startExistingCluster(planes.provisioner, stack);
  attached = stack.use(await attachedProvisioner(database, keys));
  sync = stack.use(await startTestController(database, planes.provisioner, { others: [attached] }));
}, 120_000);
afterAll(() => stack.disposeAsync());

const put = async (kubeconfig: string, of = workspace): Promise<void> => {
  await attach(database, keys, { workspaceId: of.id, kubeconfig });
  sync?.controller.enqueue(of.id);
};
const conditionOf = async (type: string, of = workspace) =>
  (await of.row()).conditions.find((each) => each.type === type);
const untilProvisioned = (reason: string, message = /./, of = workspace) =>
  poll(
    `the reason ${reason}`,
    async () => {
      const found = await conditionOf('Provisioned', of);
      expect(found).toMatchObject({ reason });
      expect(found?.message).toMatch(message);
      return true;
    },
    30_000,
  );
const names = async (client: KubernetesClient, path: string): Promise<string[]> => {
  const list = (await client.request(path)) as { items: { metadata: { name: string } }[] };
  return list.items.map(({ metadata }) => metadata.name);
};
const oursIn = async ({ root }: ExistingCluster) => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const found = await Promise.all([
    names(root, '/api/v1/namespaces'),
    names(root, `${rbac}/clusterroles`),
    names(root, `${rbac}/clusterrolebindings`),
    names(root, `${rbac}/rolebindings`),
    names(root, `${rbac}/roles`),
    names(root, '/api/v1/resourcequotas'),
    names(root, `${admission}/validatingadmissionpolicies`),
    names(root, `${admission}/validatingadmissionpolicybindings`),
  ]);
  return found.flat().filter((name) => name.startsWith('hexabase'));
};

describe('a kubeconfig that is no good', () => {
  it('is not there', () => untilProvisioned('KubeconfigMissing', /PUT/));

  it('lacks rights: says which, and nothing is written', async () => {
    await put(await cluster.kubeconfigFor('view'));
    await untilProvisioned(
      'MissingRights',
      /system:masters.*impersonate serviceaccounts\/rbac-sync.*cluster-admin/,
    );
    expect(await oursIn(cluster)).toEqual([]);
  });

  it('has a credential that the server refuses', async () => {
    await put(toKubeconfig(cluster.plane, 'not-a-token'));
    await untilProvisioned('CredentialRefused', /expired or was revoked.*PUT/);
  });

  it('leads to where nobody answers', async () => {
    const { certificateAuthority } = cluster.plane;
    await put(toKubeconfig({ server: 'https://127.0.0.1:9', certificateAuthority }, 'x'));
    await untilProvisioned('Unreachable', /does not answer/);
  });

  it('has another authority than the server’s certificate', async () => {
    const { server } = cluster.plane;
    const { certificateAuthority } = other.plane;
    await put(toKubeconfig({ server, certificateAuthority }, 'x'));
    await untilProvisioned('Unreachable', /not signed by the kubeconfig/);
  });

  it('leads into a network of ours', async () => {
    const server = 'https://169.254.169.254';
    await put(toKubeconfig({ ...cluster.plane, server }, 'x'));
    await untilProvisioned('AddressNotAllowed', /private, local or reserved/);
  });

  it('was sealed for another workspace', async () => {
    await database.query(
      `UPDATE attached_cluster SET sealed_kubeconfig = 'a.b.c.d.e', version = version + 1`,
    );
    sync?.controller.enqueue(workspace.id);
    await untilProvisioned('KubeconfigUnreadable', /once more/);
  });
});

describe('a kubeconfig of cluster-admin', () => {
  it('makes the cluster the workspace’s, and rights are in force there', async () => {
    await put(await cluster.kubeconfigFor('cluster-admin'));
    expect(await workspace.untilObserved(1)).toMatchObject({ state: 'succeeded' });
    const task = await workspace.change('project.create', aProject(workspace.id, 'shop'));
    expect(task).toMatchObject({ state: 'succeeded' });
    await untilProvisioned('Running');
    const mark = await cluster.root.request(
      '/api/v1/namespaces/hexabase-system/configmaps/workspace',
    );
    expect(mark).toMatchObject({ data: { workspace: formatId('workspace', workspace.id) } });
  });

  it('keeps no credential in plain words', async () => {
    const [row] = await database.query<{ text: string }>(
      'SELECT (a.*)::text || (w.*)::text AS text FROM attached_cluster a, workspace w WHERE w.id = a.workspace_id',
    );
    expect(row?.text).not.toContain('BEGIN CERTIFICATE');
    expect(row?.text).not.toContain(cluster.plane.server);
  });

  it('is refused for a second workspace', async () => {
    const second = await insertWorkspace(database, async () => {});
    await put(await cluster.kubeconfigFor('cluster-admin'), second);
    await untilProvisioned('ClusterTaken', /another workspace/, second);
  });

  it('is refused when it leads to another cluster than before, where nothing is written', async () => {
    await put(await other.kubeconfigFor('cluster-admin'));
    await untilProvisioned('OtherCluster', /nothing was written there/);
    expect(await oursIn(other)).toEqual([]);
    expect(await names(cluster.root, '/api/v1/namespaces')).toContain('shop');
  });

  it('holds up nothing in the cluster before it, which is kept in order', async () => {
    await workspace.changeSilently('project.create', aProject(workspace.id, 'meanwhile'));
    sync?.controller.enqueue(workspace.id);
    await poll('the namespace of the new project', async () =>
      (await names(cluster.root, '/api/v1/namespaces')).includes('meanwhile'),
    );
    await untilProvisioned('OtherCluster');
    expect(await conditionOf('Synced')).toMatchObject({ status: 'True' });
    expect(await names(other.root, '/api/v1/namespaces')).not.toContain('meanwhile');
  });

  it('is taken again when it leads back', async () => {
    await put(await cluster.kubeconfigFor('cluster-admin'));
    await untilProvisioned('Running');
  });
});

const POLICY =
  '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/hexabase-managed-objects';

describe('a credential that expires later', () => {
  it('is told of, and rights are kept in order by our own identity', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    for (const name of await names(cluster.root, accounts)) {
      if (name.startsWith('attacher-')) {
        await cluster.root.request(`${accounts}/${name}`, { method: 'DELETE' });
      }
    }
    // The API server takes a token for some seconds after its account has gone.
    const plane = await poll('the credential to be refused', async () => {
      await using fresh = await attachedProvisioner(database, keys);
      const found = await ensurePlane(fresh, workspace.id);
      return found.notes && found;
    });
    expect(plane.notes?.join()).toMatch(/no longer accepted.*PUT/);
    await expect(plane.bootstrapCredential()).rejects.toMatchObject({
      reason: 'CredentialRefused',
    });
    const task = await workspace.change('project.create', aProject(workspace.id, 'later'));
    expect(task).toMatchObject({ state: 'succeeded' });
  });

  it('leaves a policy down that somebody has deleted, and says what to do', async () => {
    await cluster.root.request(POLICY, { method: 'DELETE' });
    await poll('the condition', async () => {
      const { conditions } = await workspace.row();
      const { reason, message } = conditions.find(({ type }) => type === 'Synced') ?? {};
      expect(message).toMatch(/ValidatingAdmissionPolicy hexabase-managed-objects.*PUT/);
      return reason === 'PoliciesNotRepaired';
    });
  });

  it('is replaced by a new kubeconfig', async () => {
    await put(await cluster.kubeconfigFor('cluster-admin'));
    await poll('the new one to be taken', async () => {
      const [row] = await database.query<{ taken: boolean }>(
        'SELECT version = verified_version AS taken FROM attached_cluster WHERE workspace_id = $1',
        [workspace.id],
      );
      return row?.taken;
    });
    sync?.controller.enqueue(workspace.id);
    await poll('the policy', () => cluster.root.request(POLICY));
  });
});

describe('an attached workspace', () => {
  const bindings = () => names(cluster.root, '/apis/rbac.authorization.k8s.io/v1/rolebindings');
  const set = (assignment: string) =>
    [`UPDATE workspace SET ${assignment} WHERE id = $1`, workspace.id] as const;
  const ours = async () => (await bindings()).filter((name) => name.startsWith('hexabase:'));

  it('gives nobody rights while it is suspended, and nothing of it is lost', async () => {
    expect((await ours()).length).toBeGreaterThan(0);
    const task = await workspace.change('workspace.suspend', set('suspended_at = now()'));
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(await ours()).toEqual([]);
    expect(await names(cluster.root, '/api/v1/namespaces')).toContain('shop');
  });

  it('gives them again when it is resumed', async () => {
    const task = await workspace.change('workspace.resume', set('suspended_at = NULL'));
    expect(task).toMatchObject({ state: 'succeeded' });
    expect((await ours()).length).toBeGreaterThan(0);
  });

  it('leaves when it is removed, with everything of ours and nothing of its owner’s', async () => {
    const path = '/api/v1/namespaces/shop/configmaps';
    await cluster.root.request(path, { method: 'POST', body: { metadata: { name: 'kept' } } });
    await database.query('UPDATE workspace SET delete_after = now() WHERE id = $1', [workspace.id]);
    sync?.controller.enqueue(workspace.id);
    await poll('the workspace to go', async () => {
      const rows = await database.query('SELECT FROM workspace WHERE id = $1', [workspace.id]);
      return rows.length === 0;
    });
    await poll('everything of ours to go', async () => {
      expect(await oursIn(cluster)).toEqual([]);
      return true;
    });
    expect(await names(cluster.root, path)).toContain('kept');
    const { metadata } = (await cluster.root.request('/api/v1/namespaces/shop')) as {
      metadata: { labels: Record<string, string> };
    };
    expect(Object.keys(metadata.labels)).toEqual(['kubernetes.io/metadata.name']);
  });

  it('waits a week for a cluster that is gone, and is then removed with a word of what is left', async () => {
    const lost = await insertWorkspace(database);
    const set = async (assignment: string) => {
      await database.query(`UPDATE workspace SET ${assignment} WHERE id = $1`, [lost.id]);
      sync?.controller.enqueue(lost.id);
    };
    await set(`provisioner = 'attached'`);
    await put(await other.kubeconfigFor('cluster-admin'), lost);
    await untilProvisioned('Running', /./, lost);
    const { certificateAuthority } = other.plane;
    const gone = toKubeconfig({ server: 'https://127.0.0.1:9', certificateAuthority }, 'x');
    await put(gone, lost);
    await untilProvisioned('Unreachable', /./, lost);
    await set(`delete_after = now() - interval '6 days'`);
    await untilProvisioned('Unreachable', /./, lost);
    expect(await database.query('SELECT FROM workspace WHERE id = $1', [lost.id])).toHaveLength(1);
    await set(`delete_after = now() - interval '8 days'`);
    const [record] = await poll('the workspace to go', async () => {
      const records = await database.query<{ after: unknown }>(
        `SELECT after FROM audit_event WHERE action = 'workspace.remove' AND workspace_id = $1`,
        [lost.id],
      );
      return records.length > 0 && records;
    });
    expect(record?.after).toEqual({ left_behind: expect.stringContaining('does not answer') });
  });
});
