import { expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import type { HostPlan } from '#domain/plan.ts';
import type { RequestOptions } from '../../cluster/kubernetes-client.ts';
import type { Host } from './host.ts';
import { hostLabels, hostNames } from './names.ts';
import { SETTINGS } from './settings.fixture.ts';
import { createVclusterProvisioner } from './vcluster-provisioner.ts';

const workspaceId = createId();
const names = hostNames(workspaceId);
const plan: HostPlan = {
  workspaceQuota: {},
  isolation: 'shared',
  nodeSelector: {},
  tolerations: [],
};

/** A host with a suspended vCluster: none of its pods, and a controller that was told to keep off. */
const suspendedHost = () => {
  const world = { replicas: 0, held: true, faults: 1 };
  const namespace = { metadata: { uid: 'x', labels: hostLabels(names) } };
  const set = () => ({ metadata: { name: 'vcluster' }, spec: { replicas: world.replicas } });
  const request = async (path: string, { body }: RequestOptions = {}): Promise<unknown> => {
    if (path.endsWith('/scale')) {
      world.replicas = (body as { spec: { replicas: number } }).spec.replicas;
    }
    if (path.endsWith('/statefulsets')) return { items: [set()] };
    return path.endsWith('/statefulsets/vcluster') ? set() : namespace;
  };
  const hold = async (_names: unknown, held: boolean): Promise<void> => {
    world.faults -= 1;
    if (world.faults >= 0) throw new Error('cut short');
    world.held = held;
  };
  return { world, host: { client: { request } } as unknown as Host, hold };
};

it('lets the controller go on at resumption, also when it was cut short before', async () => {
  const { world, host, hold } = suspendedHost();
  const apply = () => Promise.reject(new Error('not installed here'));
  const provisioner = createVclusterProvisioner({
    host,
    settings: SETTINGS,
    delivery: { apply, remove: async () => {}, hold },
    configurationFor: () => ({ authentication: {} }),
  });
  const ensure = () => provisioner.ensure({ workspaceId, plan }, { onProgress: async () => {} });
  await expect(ensure()).rejects.toThrow('cut short');
  await expect(ensure()).rejects.toThrow('not installed here');
  expect(world).toMatchObject({ replicas: 1, held: false });
});

it('waits for nothing when it is told to stop', async () => {
  const set = { metadata: { name: 'vcluster' }, spec: { replicas: 0 }, status: { replicas: 1 } };
  const namespace = { metadata: { uid: 'x', labels: hostLabels(names) } };
  const request = async (path: string): Promise<unknown> =>
    path.endsWith('/statefulsets') ? { items: [set] } : namespace;
  const provisioner = createVclusterProvisioner({
    host: { client: { request } } as unknown as Host,
    settings: SETTINGS,
    delivery: { apply: async () => {}, remove: async () => {}, hold: async () => {} },
    configurationFor: () => ({ authentication: {} }),
  });
  await expect(provisioner.suspend(workspaceId, { signal: AbortSignal.abort() })).rejects.toThrow(
    'aborted',
  );
});
