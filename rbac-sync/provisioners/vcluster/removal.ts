/** Frees everything that a workspace has on the host, in order, and says what it could not free. */
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { removeObject } from '../../cluster/object-requests.ts';
import type { ReleaseDelivery } from './delivery.ts';
import { hostError } from './host-errors.ts';
import { attempt, findNamespace, type ListedMetadata, listMetadata } from './host-requests.ts';
import type { HostNames } from './names.ts';
import { type Patience, waitFor } from './wait.ts';

/** What it takes to remove a vCluster. */
export type RemovalDeps = {
  readonly client: KubernetesClient;
  readonly delivery: ReleaseDelivery;
};

/**
 * The release first, so that its controller lets go of what it made; then the volumes' claims, which a
 * release leaves behind; what the chart made outside the namespace; and the namespace with all the rest.
 *
 * @throws ProvisioningError that names what is left; calling again carries on
 */
export const removeVcluster = async (
  { client, delivery }: RemovalDeps,
  names: HostNames,
  patience: Patience,
): Promise<void> => {
  const namespace = await attempt('reading the namespace', () => findNamespace(client, names));
  // Somebody else's namespace of our name: nothing of it can be ours.
  if (namespace && !namespace.ours) return;
  if (namespace) {
    await attempt('removing the release', () => delivery.remove(names, patience));
    await attempt('removing the volumes', () => removeClaims(client, names, patience));
  }
  await attempt('removing its cluster roles', () => removeClusterScoped(client, names));
  if (namespace) {
    await attempt('removing the namespace', () => removeNamespace(client, names, patience));
  }
};

const removeClaims = async (
  client: KubernetesClient,
  { namespace }: HostNames,
  patience: Patience,
): Promise<void> => {
  const collection = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  let left: readonly ListedMetadata[] = [];
  const gone = async () => {
    left = await listMetadata(client, collection, '');
    for (const { name } of left) await removeObject(client, `${collection}/${name}`);
    return left.length === 0 ? true : undefined;
  };
  await waitFor(gone, patience, () =>
    notRemoved(left.map(({ name }) => `PersistentVolumeClaim ${namespace}/${name}`)),
  );
};

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** helm takes them with the release; this finds those whose release's record was lost. */
const removeClusterScoped = async (
  client: KubernetesClient,
  { namespace, release }: HostNames,
): Promise<void> => {
  for (const plural of ['clusterrolebindings', 'clusterroles']) {
    const all = await listMetadata(
      client,
      `${RBAC}/${plural}`,
      'app.kubernetes.io/managed-by=Helm',
    );
    for (const { name, annotations } of all) {
      if (annotations['meta.helm.sh/release-namespace'] !== namespace) continue;
      if (annotations['meta.helm.sh/release-name'] !== release) continue;
      await removeObject(client, `${RBAC}/${plural}/${encodeURIComponent(name)}`);
    }
  }
};

const removeNamespace = async (
  client: KubernetesClient,
  names: HostNames,
  patience: Patience,
): Promise<void> => {
  await removeObject(client, `/api/v1/namespaces/${names.namespace}`);
  const gone = async () => ((await findNamespace(client, names)) === undefined ? true : undefined);
  await waitFor(gone, patience, () =>
    notRemoved([`namespace ${names.namespace}, in which something has a finalizer`]),
  );
};

const notRemoved = (what: readonly string[]): Error =>
  hostError('NotRemoved', `On the host there is still: ${what.join(', ')}`);
