/** What a cluster holds at this moment, asked of its API server and not of our watches. */
import type { ManagedKind } from '#domain/kubernetes-objects.ts';
import { MANAGED_KINDS, toCollectionPath } from '../cluster/kubernetes-paths.ts';
import { listObjects } from '../cluster/list-objects.ts';
import {
  createObjectStores,
  type ObjectStore,
  type ObservedObject,
} from '../cluster/object-store.ts';
import { SELECTORS } from '../cluster/workspace-clusters.ts';
import type { DiffClient } from './dry-run-client.ts';

/** Our objects by kind, and the bindings of others. */
export type Observation = {
  readonly stores: Readonly<Record<ManagedKind, ObjectStore>>;
  readonly foreignBindings: readonly ObservedObject[];
  readonly foreignClusterBindings: readonly ObservedObject[];
};

/** No cluster, or an empty one. */
export const observeNothing = (): Observation => ({
  stores: createObjectStores(MANAGED_KINDS),
  foreignBindings: [],
  foreignClusterBindings: [],
});

/** @throws KubernetesError; others when the API server can't be reached */
export const observeCluster = async (client: DiffClient): Promise<Observation> => {
  const observation = observeNothing();
  const list = (kind: ManagedKind, labelSelector: string) =>
    listObjects(client, { path: toCollectionPath(kind), kind, labelSelector });
  const fill = async (kind: ManagedKind): Promise<void> => {
    const { objects, version } = await list(kind, SELECTORS.ours);
    observation.stores[kind].replace(objects, version);
  };
  const [bindings, clusterBindings] = await Promise.all([
    list('RoleBinding', SELECTORS.others),
    list('ClusterRoleBinding', SELECTORS.others),
    ...MANAGED_KINDS.map(fill),
  ]);
  return {
    ...observation,
    foreignBindings: bindings.objects,
    foreignClusterBindings: clusterBindings.objects,
  };
};
