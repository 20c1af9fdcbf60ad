/**
 * What is taken out of an attached cluster: when its workspace is suspended, what gives rights; when it goes,
 * everything of ours. Namespaces of projects stay with all that is in them, and are no longer ours: the cluster is
 * its owner's, and what runs there is not lost with a workspace. Every step can be cut short and done again.
 */
import * as z from 'zod';
import { MANAGED_BY, MANAGED_BY_LABEL, type ManagedKind } from '#domain/kubernetes-objects.ts';
import { readManifests, toManifestPath } from '../../bootstrap/manifests.ts';
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { toCollectionPath, toObjectPath } from '../../cluster/kubernetes-paths.ts';
import { applyObject, removeObject } from '../../cluster/object-requests.ts';

const List = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string().optional(),
      }),
    }),
  ),
});
type Item = z.infer<typeof List>['items'][number];

const listOurs = async (client: KubernetesClient, kind: ManagedKind): Promise<readonly Item[]> => {
  const query = { labelSelector: `${MANAGED_BY_LABEL}=${MANAGED_BY}` };
  return List.parse(await client.request(toCollectionPath(kind), { query })).items;
};

const deleteOurs = async (client: KubernetesClient, kind: ManagedKind): Promise<void> => {
  for (const { metadata } of await listOurs(client, kind)) {
    await removeObject(client, toObjectPath({ kind, metadata }));
  }
};

/** Takes every right away that the workspace gives; what comes back on resumption is made anew. */
export const removeBindings = async (client: KubernetesClient): Promise<void> => {
  await deleteOurs(client, 'ClusterRoleBinding');
  await deleteOurs(client, 'RoleBinding');
};

/** Rights first and the policies that guard ours last; the mark of ownership goes with the last namespace. */
export const removeEverything = async (client: KubernetesClient): Promise<void> => {
  await removeBindings(client);
  for (const kind of ['Role', 'NetworkPolicy', 'LimitRange', 'ResourceQuota'] as const) {
    await deleteOurs(client, kind);
  }
  for (const namespace of await listOurs(client, 'Namespace')) await release(client, namespace);
  const manifests = readManifests().filter(({ kind }) => kind !== 'Namespace');
  for (const manifest of manifests.toReversed()) {
    await removeObject(client, toManifestPath(manifest));
  }
  await removeObject(client, '/api/v1/namespaces/hexabase-system');
};

/** Takes what we put on a namespace off it, and nothing that others did: an apply of nothing (server-side apply). */
const release = async (client: KubernetesClient, { metadata: { name } }: Item): Promise<void> => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await applyObject(client, toObjectPath({ kind: 'Namespace', metadata: { name } }), namespace);
};
