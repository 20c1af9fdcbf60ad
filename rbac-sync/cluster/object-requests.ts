/** What is asked of an API server about one object, by its path. */
import { FIELD_MANAGER } from './identities.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { isNotFound } from './kubernetes-error.ts';

type Requester = Pick<KubernetesClient, 'request'>;

/**
 * The object as the API server answers it, not validated; `undefined` when it, or its namespace, isn't there.
 *
 * @throws KubernetesError when the API server says something else
 */
export const findObject = async (client: Requester, path: string): Promise<unknown> => {
  try {
    // An answer that is no JSON doesn't say that there is none.
    return (await client.request(path)) ?? null;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** Server-side apply: the object has these fields, ours by force. Answers the object as it is then. */
export const applyObject = (
  client: Requester,
  path: string,
  object: object,
  fieldManager = FIELD_MANAGER,
): Promise<unknown> =>
  client.request(path, {
    method: 'PATCH',
    query: { fieldManager, force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: object,
  });

/** Creates an object. @throws KubernetesError `AlreadyExists` when its name is taken */
export const createObject = (client: Requester, path: string, object: object): Promise<unknown> =>
  client.request(path, {
    method: 'POST',
    query: { fieldManager: FIELD_MANAGER },
    body: object,
  });

/**
 * Deletes the object of this uid, and not one that has since taken its name.
 *
 * @throws KubernetesError when it isn't there, or is another by now
 */
export const deleteObject = (client: Requester, path: string, uid: string): Promise<unknown> =>
  client.request(path, { method: 'DELETE', body: { preconditions: { uid } } });

/** Deletes whatever object is at a path, what it owns after it; nothing to do when there is none. */
export const removeObject = async (client: Requester, path: string): Promise<void> => {
  try {
    await client.request(path, { method: 'DELETE', body: { propagationPolicy: 'Background' } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
