/**
 * A namespace that was there before its project, and isn't ours: it is taken over only when it says
 * itself that it belongs to this project, as objects that helm adopts must. The policy
 * `hexabase-sync-limits` has the same rule.
 */
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  type ManagedObject,
  PROJECT_LABEL,
} from '#domain/kubernetes-objects.ts';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import { KubernetesError } from '../cluster/kubernetes-error.ts';
import { toObjectPath } from '../cluster/kubernetes-paths.ts';
import { findObject } from '../cluster/object-requests.ts';
import { ObservedObject } from '../cluster/object-store.ts';

/** Whose value is the public id of the project that may take the namespace over. */
export const ADOPT_ANNOTATION = 'kaas.hexabase.io/adopt';

/** Somebody else's namespace has the name of a project. */
export class TakenNamespaceError extends Error {
  override readonly name = 'TakenNamespaceError';
}

/**
 * Says why a namespace could not be written.
 *
 * @param cause the API server's refusal
 * @returns a TakenNamespaceError with what to do, or else the cause
 * @throws KubernetesError when the namespace can't be read
 */
export const explainRefusal = async (
  client: Pick<KubernetesClient, 'request'>,
  namespace: ManagedObject,
  cause: unknown,
): Promise<unknown> => {
  if (!(cause instanceof KubernetesError) || cause.status !== 403) return cause;
  const existing = await findObject(client, toObjectPath(namespace));
  if (existing === undefined) return cause;
  const { metadata } = ObservedObject.parse(existing);
  if (metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY) return cause;
  const { name, labels } = namespace.metadata;
  return new TakenNamespaceError(
    `The namespace ${name} was in the cluster before its project and isn’t managed here. Delete the project, or let it take the namespace over with everything in it: kubectl annotate namespace ${name} ${ADOPT_ANNOTATION}=${labels[PROJECT_LABEL]}`,
    { cause },
  );
};
