/** vClusters that a GitOps controller of the host installs, from objects that we apply. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import type { Delivery } from '../../../rbac-sync/provisioners/vcluster/settings.ts';
import {
  type GitopsControllers,
  startGitopsControllers,
} from '../../support/gitops-controllers.ts';
import { ANY_HOST } from '../../support/kube.ts';
import { startTestHost, type TestHost } from '../../support/vcluster-host.ts';

let stack: AsyncDisposableStack;
let host: TestHost;
let controllers: GitopsControllers;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  host = stack.use(await startTestHost());
  const { root, kubeconfig } = host;
  controllers = stack.use(
    await startGitopsControllers({ host: root, helm: inject('helm'), kubeconfig }),
  );
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } };
  await root.request('/api/v1/namespaces', { method: 'POST', body });
});
afterAll(() => stack.disposeAsync());

const quiet = { onProgress: async () => {} };

describe.each<Delivery>([
  { kind: 'flux' },
  { kind: 'argocd', namespace: 'argocd', project: 'default' },
])('a host with $kind', (delivery) => {
  const workspaceId = createId();
  const { namespace } = hostNames(workspaceId);
  const chartOf = async (): Promise<string> => {
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/vcluster`;
    const set = (await host.root.request(path)) as {
      metadata: { labels: { chart: string } };
    };
    return set.metadata.labels.chart;
  };
  const spec = { workspaceId, plan: ANY_HOST };

  it('makes the vCluster', async () => {
    const provisioner = await host.provisionerWith({ settings: { delivery }, helm: '/nowhere' });
    const plane = await provisioner.ensure(spec, quiet);
    expect(plane.server).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(await chartOf()).toBe('vcluster-1.0.0');
    expect(controllers.faults).toEqual([]);
  });

  it('upgrades it, and tells of a chart that is not there', async () => {
    const { chart } = host.settings;
    const missing = { delivery, chart: { ...chart, version: '9.9.9' } };
    const wrong = await host.provisionerWith({ settings: missing });
    await expect(wrong.ensure(spec, quiet)).rejects.toMatchObject({ reason: 'ChartUnavailable' });
    const newer = { delivery, chart: { ...chart, version: '1.1.0' } };
    await (await host.provisionerWith({ settings: newer })).ensure(spec, quiet);
    expect(await chartOf()).toBe('vcluster-1.1.0');
  });

  it('suspends, resumes and removes it, and leaves nothing', async () => {
    const newer = { delivery, chart: { ...host.settings.chart, version: '1.1.0' } };
    const provisioner = await host.provisionerWith({ settings: newer });
    await provisioner.suspend(workspaceId);
    const pods = async () =>
      ((await host.root.request(`/api/v1/namespaces/${namespace}/pods`)) as { items: unknown[] })
        .items.length;
    expect(await pods()).toBe(0);
    await provisioner.ensure(spec, quiet);
    expect(await pods()).toBe(1);
    await provisioner.remove(workspaceId);
    await expect(host.root.request(`/api/v1/namespaces/${namespace}`)).rejects.toThrow(/404/);
    const collection = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';
    expect(await host.root.request(collection)).toMatchObject({ items: [] });
  });
});
