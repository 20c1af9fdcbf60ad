/** Existing clusters to attach: control planes that nobody here configured, and kubeconfigs of them. */
import { stringify } from 'yaml';
import { toKubeconfigPurpose } from '#domain/attached-kubeconfig.ts';
import { createId } from '#domain/identifiers.ts';
import { createAddressPolicy } from '#runtime/addresses.ts';
import { openLetter, sealLetter } from '#runtime/sealed-letter.ts';
import {
  createKubernetesClient,
  type KubernetesClient,
} from '../../rbac-sync/cluster/kubernetes-client.ts';
import { createAttachedProvisioner } from '../../rbac-sync/provisioners/attached/attached-provisioner.ts';
import type { ControlPlane, Provisioner } from '../../rbac-sync/provisioners/provisioner.ts';
import type { TestDatabase } from './database.ts';
import { createTestProvisioner, ensurePlane, type TestProvisioner } from './kube.ts';
import { createProbeKeys, type ProbeKeys } from './probe-client.ts';

/** A cluster of somebody's. */
export type ExistingCluster = {
  readonly id: string;
  readonly plane: ControlPlane;
  readonly root: KubernetesClient;
  /** A kubeconfig whose ServiceAccount is bound to a ClusterRole, with a token of this life. */
  readonly kubeconfigFor: (clusterRole: string, seconds?: number) => Promise<string>;
};

/** Starts a cluster; it goes with its provisioner. */
export const startExistingCluster = async (
  provisioner: Provisioner,
  stack: AsyncDisposableStack,
  id = createId(),
): Promise<ExistingCluster> => {
  const plane = await ensurePlane(provisioner, id);
  const { server, certificateAuthority } = plane;
  const credential = await plane.bootstrapCredential();
  const root = stack.use(createKubernetesClient({ server, certificateAuthority, credential }));
  return {
    id,
    plane,
    root,
    kubeconfigFor: async (clusterRole, seconds = 3600) =>
      toKubeconfig(plane, await createToken(root, clusterRole, seconds)),
  };
};

const createToken = async (
  root: KubernetesClient,
  clusterRole: string,
  expirationSeconds: number,
): Promise<string> => {
  const name = `attacher-${createId().slice(-12)}`;
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await root.request(accounts, { method: 'POST', body: { metadata: { name } } });
  await root.request('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    method: 'POST',
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
      subjects: [{ kind: 'ServiceAccount', namespace: 'default', name }],
    },
  });
  const answer = await root.request(`${accounts}/${name}/token`, {
    method: 'POST',
    body: { spec: { expirationSeconds } },
  });
  return (answer as { status: { token: string } }).status.token;
};

/** A kubeconfig with a token, all inline. */
export const toKubeconfig = (
  { server, certificateAuthority }: Pick<ControlPlane, 'server' | 'certificateAuthority'>,
  token: string,
): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'c',
        cluster: {
          server,
          'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
        },
      },
    ],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });

/** The provisioner as rbac-sync has it; loopback is allowed. */
export const attachedProvisioner = async (
  database: TestDatabase,
  { privateKey }: ProbeKeys,
  allowed: readonly string[] = ['127.0.0.0/8'],
): Promise<Provisioner> =>
  createAttachedProvisioner({
    db: await database.connectAs('hexabase_rbac_sync'),
    open: (workspaceId, sealed) => openLetter(privateKey, toKubeconfigPurpose(workspaceId), sealed),
    isAllowed: createAddressPolicy(allowed),
  });

/** Gives a workspace a kubeconfig, as the API does: new, or instead of the one before. */
export const attach = async (
  database: TestDatabase,
  { publicKey }: ProbeKeys,
  { workspaceId, kubeconfig }: { readonly workspaceId: string; readonly kubeconfig: string },
): Promise<void> => {
  const sealed = await sealLetter(publicKey, toKubeconfigPurpose(workspaceId), kubeconfig);
  await database.query(`UPDATE workspace SET provisioner = 'attached' WHERE id = $1`, [
    workspaceId,
  ]);
  await database.query(
    `INSERT INTO attached_cluster (workspace_id, sealed_kubeconfig) VALUES ($1, $2)
     ON CONFLICT (workspace_id) DO UPDATE
     SET sealed_kubeconfig = excluded.sealed_kubeconfig, version = attached_cluster.version + 1`,
    [workspaceId, sealed],
  );
};

/**
 * A provisioner of attached clusters that has an owner for each: who starts the cluster when it is first asked for,
 * with the configuration of its workspace, and gives a kubeconfig of it.
 */
export const createTestOwners = async (
  database: TestDatabase,
): Promise<Omit<TestProvisioner, 'directory'>> => {
  await using cleanup = new AsyncDisposableStack();
  const keys = await createProbeKeys();
  const planes = cleanup.use(await createTestProvisioner());
  const attached = cleanup.use(await attachedProvisioner(database, keys));
  const owned = new Set<string>();
  const resources = cleanup.move();
  return {
    issuer: planes.issuer,
    provisioner: {
      ...attached,
      ensure: async (spec, options) => {
        const { workspaceId } = spec;
        if (!owned.has(workspaceId)) {
          const existing = await startExistingCluster(planes.provisioner, resources, workspaceId);
          const kubeconfig = await existing.kubeconfigFor('cluster-admin', 86_400);
          await attach(database, keys, { workspaceId, kubeconfig });
          owned.add(workspaceId);
        }
        return attached.ensure(spec, options);
      },
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};
