/** Objects that the watches don't show because they lost our label, or because they are gone. */
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { toObjectPath } from '../cluster/kubernetes-paths.ts';
import { findObject } from '../cluster/object-requests.ts';
import { ObservedObject } from '../cluster/object-store.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import { forEachConcurrently } from '../queue/concurrent.ts';

/** Of more than so many at once, something larger happened than a label. */
const MOST = 50;
const IN_FLIGHT = 8;

/**
 * What was there when last seen, is wanted and is shown no more: each is asked for by name.
 *
 * @throws KubernetesError when the API server doesn't say
 */
export const readMissing = async (
  cluster: WorkspaceCluster,
  desired: readonly ManagedObject[],
): Promise<ObservedObject[]> => {
  const missing = desired
    .filter((object) => cluster.settled?.has(toObjectKey(object)))
    .filter((object) => !cluster.stores[object.kind].has(toObjectKey(object)))
    .slice(0, MOST);
  const found: ObservedObject[] = [];
  const failures = await forEachConcurrently(missing, IN_FLIGHT, async (object) => {
    const answer = await findObject(cluster.client, toObjectPath(object));
    if (answer === undefined) return;
    found.push(ObservedObject.parse({ kind: object.kind, ...Object(answer) }));
  });
  if (failures.length > 0) throw failures[0];
  return found;
};
