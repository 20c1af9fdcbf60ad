/**
 * Control planes as vClusters on a host cluster: the official chart in a namespace of its own for each
 * workspace, with the plan's quota and walls around it. Everything is found again on the host: what was
 * applied is noted on the namespace, so that a look without news asks for one object, and a crash at any
 * moment leaves something that the next look finishes.
 */
import * as z from 'zod';
import { FIELD_MANAGER } from '../../cluster/identities.ts';
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { applyObject } from '../../cluster/object-requests.ts';
import {
  type ApiServerConfiguration,
  type ControlPlane,
  type ControlPlaneSpec,
  type EnsureOptions,
  type Provisioner,
  ProvisioningError,
} from '../provisioner.ts';
import type { ReleaseDelivery } from './delivery.ts';
import type { Host } from './host.ts';
import type { HostReason } from './host-errors.ts';
import { type HostObject, hostObjects, namespaceObject } from './host-objects.ts';
import {
  annotateNamespace,
  attempt,
  ensureNamespace,
  type HostNamespace,
} from './host-requests.ts';
import { type HostNames, hostNames } from './names.ts';
import { findPlane } from './plane.ts';
import { removeVcluster } from './removal.ts';
import type { Storage, VclusterSettings } from './settings.ts';
import { findControlPlane, isRunning, scale, untilRunning } from './stateful-sets.ts';
import { suspendVcluster } from './suspension.ts';
import { digest, vclusterValues } from './values.ts';
import type { Patience } from './wait.ts';

/** What {@link createVclusterProvisioner} needs. */
export type VclusterProvisionerOptions = {
  /** Closed with the provisioner. */
  readonly host: Host;
  readonly delivery: ReleaseDelivery;
  readonly settings: VclusterSettings;
  readonly configurationFor: (workspaceId: string) => ApiServerConfiguration;
  /** How long what was applied is taken to be there still, in milliseconds. */
  readonly trustedMs?: number;
};

const TRUSTED_MS = 60_000;

type Known = { readonly plane: ControlPlane; readonly hash: string; readonly at: number };

/** Starts nothing by itself; on disposal the vClusters go on. */
export const createVclusterProvisioner = (options: VclusterProvisionerOptions): Provisioner => {
  const { host, delivery, settings, trustedMs = TRUSTED_MS } = options;
  const { client } = host;
  const known = new Map<string, Known>();
  const patience = (signal?: AbortSignal): Patience => ({
    deadline: Date.now() + settings.timeoutMs,
    signal,
  });
  const recall = async (workspaceId: string, hash: string): Promise<ControlPlane | undefined> => {
    const last = known.get(workspaceId);
    if (last?.hash !== hash || Date.now() - last.at > trustedMs) return undefined;
    const found = await attempt('reading its StatefulSet', () =>
      findControlPlane(client, hostNames(workspaceId)),
    );
    return found && isRunning(found) ? last.plane : undefined;
  };
  return {
    name: 'vcluster',
    ensure: async (spec, { onProgress, signal }) => {
      const { workspaceId, plan } = spec;
      const configuration = options.configurationFor(workspaceId);
      const hash = digest([plan, configuration, settings]);
      const found = await recall(workspaceId, hash);
      if (found) return found;
      const job: Job = { ...options, spec, configuration, onProgress, patience: patience(signal) };
      const plane = await makeVcluster(job);
      known.set(workspaceId, { plane, hash, at: Date.now() });
      return plane;
    },
    suspend: async (workspaceId, { signal } = {}) => {
      known.delete(workspaceId);
      await suspendVcluster({ client, delivery }, hostNames(workspaceId), patience(signal));
    },
    remove: async (workspaceId, { signal } = {}) => {
      known.delete(workspaceId);
      await removeVcluster({ client, delivery }, hostNames(workspaceId), patience(signal));
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
};

type Job = VclusterProvisionerOptions & {
  readonly spec: ControlPlaneSpec;
  readonly configuration: ApiServerConfiguration;
  readonly onProgress: EnsureOptions['onProgress'];
  readonly patience: Patience;
};

const makeVcluster = async (job: Job): Promise<ControlPlane> => {
  const { host, settings, onProgress, patience } = job;
  const { client } = host;
  const names = hostNames(job.spec.workspaceId);
  await onProgress(5, 'preparing the namespace on the host');
  const namespace = await attempt('making its namespace', () =>
    ensureNamespace(client, names, namespaceObject(names, settings.podSecurity)),
  );
  for (const object of hostObjects({ ...job, names, plan: job.spec.plan })) {
    await attempt(`applying its ${object.body.kind}`, () => apply(job, object));
  }
  await deliver(job, names, namespace);
  try {
    await onProgress(40, 'starting the control plane');
    await attempt('starting its control plane', () => untilRunning(client, names, patience));
    await onProgress(60, 'finding the control plane’s address');
    const where = { names, endpoint: settings.endpoint };
    return await attempt('finding its address', () => findPlane(client, where, patience));
  } catch (error) {
    if (isTimeout(error)) await forgetRelease(client, names);
    throw error;
  }
};

const isTimeout = (error: unknown): boolean =>
  error instanceof ProvisioningError && error.reason === ('TimedOut' satisfies HostReason);

/** Something of the release may be gone at which nobody looks: the next look has the host take it again. */
const forgetRelease = (client: KubernetesClient, names: HostNames): Promise<void> =>
  attempt('noting that its release is in doubt', () =>
    annotateNamespace(client, names, { [NOTES.release]: '' }),
  );

const apply = ({ host }: Job, { path, body }: HostObject): Promise<unknown> =>
  applyObject(host.client, path, body, FIELD_MANAGER);

/** What is noted on the namespace: the release that the host has taken, and the storage it was made with. */
const NOTES = {
  release: 'kaas.hexabase.io/release',
  storage: 'kaas.hexabase.io/storage',
} as const;

const RecordedStorage = z.strictObject({
  backingStore: z.enum(['database', 'etcd']),
  size: z.string(),
  storageClass: z.string().optional(),
});

/** The storage that the vCluster was made with: a StatefulSet's claims can't be changed. */
const chooseStorage = async (
  { host, settings, spec }: Job,
  names: HostNames,
  { annotations }: HostNamespace,
): Promise<Storage> => {
  const recorded = annotations[NOTES.storage];
  if (recorded !== undefined) return RecordedStorage.parse(JSON.parse(recorded));
  const storage = settings.storage[spec.plan.isolation];
  await attempt('noting its storage', () =>
    annotateNamespace(host.client, names, { [NOTES.storage]: JSON.stringify(storage) }),
  );
  return storage;
};

/** Has the host take the release, unless it has that very one already and it is still there. */
const deliver = async (job: Job, names: HostNames, namespace: HostNamespace): Promise<void> => {
  const { host, delivery, settings, spec, configuration, onProgress, patience } = job;
  const { client } = host;
  const storage = await chooseStorage(job, names, namespace);
  const values = vclusterValues({ names, plan: spec.plan, configuration, settings, storage });
  const hash = digest([settings.chart, settings.delivery, values]);
  const before = await attempt('reading its StatefulSet', () => findControlPlane(client, names));
  if (before?.spec.replicas === 0) {
    await onProgress(10, 'starting the stopped control plane again');
    // In this order: with no replicas the next look comes here again.
    await attempt('resuming its release', () => delivery.hold(names, false));
    await attempt('scaling its control plane', () => scale(client, names, settings.replicas));
  }
  if (before && namespace.annotations[NOTES.release] === hash) return;
  await onProgress(15, before ? 'upgrading the vCluster' : 'installing the vCluster');
  await attempt('taking the release', () => delivery.apply({ names, values }, patience));
  await attempt('noting its release', () =>
    annotateNamespace(client, names, { [NOTES.release]: hash }),
  );
};
