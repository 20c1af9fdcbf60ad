/** The few requests that we make of the host's API server, each with what it is for in its errors. */
import * as z from 'zod';
import { FIELD_MANAGER } from '../../cluster/identities.ts';
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { isTaken } from '../../cluster/kubernetes-error.ts';
import { applyObject, createObject, findObject } from '../../cluster/object-requests.ts';
import { hostError, toHostError } from './host-errors.ts';
import type { HostObject } from './host-objects.ts';
import { type HostNames, WORKSPACE_LABEL } from './names.ts';

const Metadata = z.object({
  uid: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  deletionTimestamp: z.string().optional(),
});
const WithMetadata = z.object({ metadata: Metadata });

/** A namespace on the host, as far as it concerns us. */
export type HostNamespace = z.infer<typeof Metadata>;

/** Does something on the host. @throws ProvisioningError when the host says no or nothing */
export const attempt = async <Result>(
  what: string,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    throw toHostError(what, error);
  }
};

/** Our namespace, whether there is one, and whether it is ours. */
export const findNamespace = async (
  client: KubernetesClient,
  names: HostNames,
): Promise<{ readonly found: HostNamespace; readonly ours: boolean } | undefined> => {
  const object = await findObject(client, `/api/v1/namespaces/${names.namespace}`);
  if (object === undefined) return undefined;
  const { metadata } = WithMetadata.parse(object);
  return { found: metadata, ours: metadata.labels[WORKSPACE_LABEL] === names.workspace };
};

/**
 * Makes or updates our namespace; never takes one over that isn't ours.
 *
 * @throws ProvisioningError `NameTaken` or `Terminating`
 */
export const ensureNamespace = async (
  client: KubernetesClient,
  names: HostNames,
  object: HostObject,
): Promise<HostNamespace> => {
  if ((await findNamespace(client, names)) === undefined) {
    await createObject(client, '/api/v1/namespaces', object.body).catch((error: unknown) => {
      if (!isTaken(error)) throw error;
    });
  }
  const { found, ours } = (await findNamespace(client, names)) ?? {};
  if (found && !ours) {
    const label = `${WORKSPACE_LABEL}: ${names.workspace}`;
    throw hostError(
      'NameTaken',
      `On the host there is a namespace ${names.namespace} without our label (${label})`,
    );
  }
  if (!found || found.deletionTimestamp) {
    throw hostError('Terminating', `The namespace ${names.namespace} on the host is being deleted`);
  }
  const applied = await applyObject(client, object.path, object.body, FIELD_MANAGER);
  return WithMetadata.parse(applied).metadata;
};

/** Notes something on our namespace; another manager's field, so that applying it keeps the note. */
export const annotateNamespace = async (
  client: KubernetesClient,
  { namespace }: HostNames,
  annotations: Readonly<Record<string, string>>,
): Promise<void> => {
  await client.request(`/api/v1/namespaces/${namespace}`, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    query: { fieldManager: `${FIELD_MANAGER}-notes` },
    body: { metadata: { annotations } },
  });
};

const Listed = Metadata.extend({ name: z.string(), creationTimestamp: z.coerce.date() });

// An empty list of metadata is `null`.
const List = z.object({ items: z.array(z.object({ metadata: Listed })).nullable() });

/** What a list says of each object when only metadata is asked for. */
export type ListedMetadata = z.infer<typeof Listed>;

/** Metadata of objects by label; a Secret's content stays where it is. */
export const listMetadata = async (
  client: KubernetesClient,
  collection: string,
  labelSelector: string,
): Promise<ListedMetadata[]> => {
  const answer = await client.request(collection, {
    query: { labelSelector },
    headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
  });
  return (List.parse(answer).items ?? []).map(({ metadata }) => metadata);
};
