/** Which cluster it is, and whose: a cluster belongs to one workspace, and carries a mark that says so. */
import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { isTaken } from '../../cluster/kubernetes-error.ts';
import { findObject } from '../../cluster/object-requests.ts';
import { ProvisioningError } from '../provisioner.ts';

const NAMESPACE = 'hexabase-system';
const MARK = `/api/v1/namespaces/${NAMESPACE}/configmaps/workspace`;

const Namespace = z.object({ metadata: z.object({ uid: z.string().max(100) }) });

/** The uid of the namespace kube-system, which lives as long as its cluster. */
export const readClusterUid = async (client: KubernetesClient): Promise<string> =>
  Namespace.parse(await client.request('/api/v1/namespaces/kube-system')).metadata.uid;

const Mark = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** The public id of the workspace that a cluster belongs to; `undefined` for nobody's. */
export const readOwner = async (client: KubernetesClient): Promise<string | undefined> => {
  const found = await findObject(client, MARK);
  return found === undefined ? undefined : (Mark.parse(found).data['workspace'] ?? '');
};

/**
 * Marks a cluster as a workspace's; of two that try at once, one does.
 *
 * @throws ProvisioningError when it is another's
 */
export const claimCluster = async (
  client: KubernetesClient,
  workspaceId: string,
): Promise<void> => {
  const workspace = formatId('workspace', workspaceId);
  await create(client, '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await create(client, MARK.slice(0, MARK.lastIndexOf('/')), {
    metadata: { name: 'workspace' },
    immutable: true,
    data: { workspace },
  });
  if ((await readOwner(client)) === workspace) return;
  throw new ProvisioningError(
    'ClusterTaken',
    `The cluster belongs to another workspace: its ConfigMap ${NAMESPACE}/workspace says so. Delete that workspace first, or attach another cluster.`,
  );
};

const create = async (client: KubernetesClient, path: string, body: object): Promise<void> => {
  try {
    await client.request(path, { method: 'POST', body });
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
};
