/** Stops a vCluster and its tenants' pods, and keeps its volumes. */
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import type { ReleaseDelivery } from './delivery.ts';
import { hostError } from './host-errors.ts';
import { attempt, findNamespace } from './host-requests.ts';
import type { HostNames } from './names.ts';
import { listStatefulSets, scale } from './stateful-sets.ts';
import { type Patience, waitFor } from './wait.ts';

/** What it takes to suspend a vCluster. */
export type SuspensionDeps = {
  readonly client: KubernetesClient;
  readonly delivery: ReleaseDelivery;
};

/** The label that vCluster gives to every pod that it brings to the host. */
const TENANT_PODS = 'vcluster.loft.sh/managed-by';

/**
 * Scales the control plane to nothing, then takes the tenants' pods away: with nobody to bring them, they
 * stay away, and their owners inside bring them back after the next start.
 *
 * @throws ProvisioningError when the host says no, or when the pods don't go in time
 */
export const suspendVcluster = async (
  { client, delivery }: SuspensionDeps,
  names: HostNames,
  patience: Patience,
): Promise<void> => {
  const namespace = await attempt('reading the namespace', () => findNamespace(client, names));
  if (!namespace?.ours || namespace.found.deletionTimestamp) return;
  await attempt('stopping the control plane', async () => {
    await delivery.hold(names, true);
    await scale(client, names, 0);
    const stopped = async () => {
      const sets = await listStatefulSets(client, names);
      return sets.every(({ status }) => status.replicas === 0) ? true : undefined;
    };
    await waitFor(stopped, patience, () =>
      hostError('TimedOut', 'The control plane’s pods are still there'),
    );
    await client.request(`/api/v1/namespaces/${names.namespace}/pods`, {
      method: 'DELETE',
      query: { labelSelector: TENANT_PODS },
    });
  });
};
