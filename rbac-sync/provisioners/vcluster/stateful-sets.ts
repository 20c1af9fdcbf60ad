/** The chart's StatefulSets on the host: whether they run, why not, and how many of each there are. */
import * as z from 'zod';
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { findObject } from '../../cluster/object-requests.ts';
import { hostError, reasonOf, redact } from './host-errors.ts';
import type { HostNames } from './names.ts';
import { type Patience, waitFor } from './wait.ts';

const StatefulSet = z.object({
  metadata: z.object({
    name: z.string(),
    generation: z.int().default(0),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ replicas: z.int().default(1) }),
  status: z
    .object({
      observedGeneration: z.int().default(0),
      replicas: z.int().default(0),
      readyReplicas: z.int().default(0),
      updatedReplicas: z.int().default(0),
    })
    .prefault({}),
});

/** A StatefulSet, as far as it concerns us. */
export type HostStatefulSet = z.infer<typeof StatefulSet>;

const base = ({ namespace }: HostNames): string =>
  `/apis/apps/v1/namespaces/${namespace}/statefulsets`;

/** The vCluster's own; `undefined` when there is none. */
export const findControlPlane = async (
  client: KubernetesClient,
  names: HostNames,
): Promise<HostStatefulSet | undefined> => {
  const found = await findObject(client, `${base(names)}/${names.release}`);
  return found === undefined ? undefined : StatefulSet.parse(found);
};

/** All of the release: the vCluster, and its etcd when it has one. */
export const listStatefulSets = async (
  client: KubernetesClient,
  names: HostNames,
): Promise<HostStatefulSet[]> => {
  const query = { labelSelector: `release=${names.release}` };
  const answer = await client.request(base(names), { query });
  return z.object({ items: z.array(StatefulSet) }).parse(answer).items;
};

/** Has that many pods of each StatefulSet; says nothing to one that has. */
export const scale = async (
  client: KubernetesClient,
  names: HostNames,
  replicas: number,
): Promise<void> => {
  for (const { metadata, spec } of await listStatefulSets(client, names)) {
    if (spec.replicas === replicas) continue;
    await client.request(`${base(names)}/${metadata.name}/scale`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas } },
    });
  }
};

/** Whether the pods of the newest revision run, all that there should be. */
export const isRunning = ({ metadata, spec, status }: HostStatefulSet): boolean =>
  metadata.deletionTimestamp === undefined &&
  status.observedGeneration >= metadata.generation &&
  spec.replicas > 0 &&
  status.readyReplicas >= spec.replicas &&
  status.updatedReplicas >= spec.replicas;

/**
 * Waits until the control plane runs.
 *
 * @throws ProvisioningError as soon as the host refuses its pods, or at the deadline with the last warning
 */
export const untilRunning = async (
  client: KubernetesClient,
  names: HostNames,
  patience: Patience,
): Promise<void> => {
  const since = Date.now();
  let nudgedAt = 0;
  let last = '';
  let listedAt = 0;
  const look = async () => {
    const found = await findControlPlane(client, names);
    if (found && isRunning(found)) return true;
    const hasPods = found !== undefined && found.status.replicas >= found.spec.replicas;
    if (hasPods && Date.now() - listedAt < LIST_MS) return undefined;
    listedAt = Date.now();
    const warnings = await listWarnings(client, names, since);
    last = warnings.at(-1) ?? last;
    // Pods that are there were not refused: it is only told at the deadline what keeps them from running.
    if (hasPods) return undefined;
    const refusal = warnings.find((message) => REFUSAL.test(message));
    if (refusal && Date.now() - since > REFUSED_MS) {
      throw hostError(reasonOf(refusal), `The host refused a pod: ${refusal}`);
    }
    if (Date.now() - nudgedAt > NUDGE_MS) {
      await nudge(client, names);
      nudgedAt = Date.now();
    }
    return undefined;
  };
  await waitFor(look, patience, () =>
    hostError('TimedOut', `The control plane did not start in time${last && `: ${last}`}`),
  );
};

/** No waiting helps with these; others, such as a missing ServiceAccount, pass by themselves. */
const REFUSAL = /exceeded quota|must specify|violates PodSecurity|denied/;
/** A quota that was just raised is still known as it was, for a moment. */
const REFUSED_MS = 3_000;
const NUDGE_MS = 2_000;
/** What is warned of pods that are there comes again and again. */
const LIST_MS = 1_000;

/** The controller that was refused a pod tries again later and later; any change makes it try now. */
const nudge = async (client: KubernetesClient, names: HostNames): Promise<void> => {
  for (const { metadata } of await listStatefulSets(client, names)) {
    await client.request(`${base(names)}/${metadata.name}`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { annotations: { 'kaas.hexabase.io/asked-at': new Date().toISOString() } },
      },
    });
  }
};

const Events = z.object({
  items: z.array(
    z.object({
      involvedObject: z.object({ name: z.string().default('') }),
      message: z.string().default(''),
      lastTimestamp: z.coerce.date().nullish(),
    }),
  ),
});

/** What the host warned of about the release's own objects; a tenant's pods have other names. */
const listWarnings = async (
  client: KubernetesClient,
  { namespace, release }: HostNames,
  since: number,
): Promise<string[]> => {
  // Their times have no fractions.
  const second = Math.floor(since / 1000) * 1000;
  const query = { fieldSelector: 'type=Warning' };
  const answer = await client.request(`/api/v1/namespaces/${namespace}/events`, { query });
  const own = new RegExp(`^${release}(-etcd)?(-\\d+)?$`);
  return Events.parse(answer)
    .items.filter(({ involvedObject }) => own.test(involvedObject.name))
    .filter(({ lastTimestamp }) => (lastTimestamp?.getTime() ?? 0) >= second)
    .map(({ message }) => redact(message));
};
