/** A host that says no, and one on which somebody has been at work: each ends in a clear condition. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import type { HostPlan } from '#domain/plan.ts';
import type { ControlPlane, Provisioner } from '../../../rbac-sync/provisioners/provisioner.ts';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import { ANY_HOST } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startTestHost, type TestHost } from '../../support/vcluster-host.ts';

let stack: AsyncDisposableStack;
let host: TestHost;
let provisioner: Provisioner;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  host = stack.use(await startTestHost());
  provisioner = await host.provisionerWith();
});
afterAll(() => stack.disposeAsync());

const ensure = (
  workspaceId: string,
  { by = provisioner, plan = ANY_HOST }: { by?: Provisioner; plan?: HostPlan } = {},
): Promise<ControlPlane> => by.ensure({ workspaceId, plan }, { onProgress: async () => {} });

/** What `ensure` is refused with. */
const refusal = (workspaceId: string, options: Parameters<typeof ensure>[1] = {}) =>
  ensure(workspaceId, options).then(
    () => ({ reason: 'none', message: '' }),
    (error: { reason: string; message: string }) => error,
  );

const NO_PODS: HostPlan = { ...ANY_HOST, workspaceQuota: { pods: '0' } };

describe('a host that has no room', () => {
  it('is told of by the plan’s quota, and works as soon as the plan is larger', async () => {
    const id = createId();
    expect(await refusal(id, { plan: NO_PODS })).toMatchObject({
      reason: 'HostQuotaExceeded',
      message: expect.stringMatching(/exceeded quota: hexabase-plan.*larger plan/),
    });
    await ensure(id, { plan: { ...ANY_HOST, workspaceQuota: { pods: '5' } } });
    await provisioner.remove(id);
  });
});

describe('a host on which we may do nothing', () => {
  it('is told of with what is forbidden, and nothing is there', async () => {
    const path = '/api/v1/namespaces/default/serviceaccounts/nobody';
    const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody' } };
    await host.root.request(path.replace('/nobody', ''), { method: 'POST', body });
    const { status } = (await host.root.request(`${path}/token`, {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    })) as { status: { token: string } };
    const kubeconfig = await host.kubeconfigFor({ token: () => status.token });
    const id = createId();
    expect(await refusal(id, { by: await host.provisionerWith({ kubeconfig }) })).toMatchObject({
      reason: 'HostForbidden',
      message: expect.stringMatching(/serviceaccount:default:nobody.*cannot.*namespaces/),
    });
  });

  it('is told of when it does not answer', async () => {
    const credential = { token: () => 'x' };
    const kubeconfig = await host.kubeconfigFor(credential, 'https://127.0.0.1:1');
    expect(
      await refusal(createId(), { by: await host.provisionerWith({ kubeconfig }) }),
    ).toMatchObject({ reason: 'HostUnreachable' });
  });
});

describe('a chart', () => {
  it.each([
    ['of an unknown version', { version: '9.9.9' }],
    ['from a repository that is none', { repository: 'http://127.0.0.1:1' }],
    ['that is no file', { name: '/nowhere/vcluster', repository: undefined }],
  ])('%s is told of as unavailable', async (_name, change) => {
    const settings = { chart: { ...host.settings.chart, ...change } };
    const by = await host.provisionerWith({ settings });
    const id = createId();
    expect(await refusal(id, { by })).toMatchObject({ reason: 'ChartUnavailable' });
    await by.remove(id);
  });

  it('whose schema does not take the values is told of with what it does not take', async () => {
    const podSecurity = 'lenient' as 'baseline';
    const by = await host.provisionerWith({ settings: { podSecurity } });
    const id = createId();
    // The host is asked first, and it doesn't know that level either.
    const error = await refusal(id, { by });
    expect(error.message).toContain('lenient');
    await by.remove(id);
  });
});

describe('a namespace of our name that is somebody else’s', () => {
  it('is left alone, by a removal too', async () => {
    const id = createId();
    const { namespace } = hostNames(id);
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await host.root.request('/api/v1/namespaces', { method: 'POST', body });
    expect(await refusal(id)).toMatchObject({
      reason: 'NameTaken',
      message: expect.stringContaining(namespace),
    });
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    const metadata = {
      name: 'theirs',
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'meta.helm.sh/release-name': 'vcluster',
        'meta.helm.sh/release-namespace': namespace,
      },
    };
    await host.root.request(roles, { method: 'POST', body: { metadata } });
    await provisioner.remove(id);
    const { status } = (await host.root.request(`/api/v1/namespaces/${namespace}`)) as {
      status: { phase: string };
    };
    expect(status.phase).toBe('Active');
    expect(await host.root.request(`${roles}/theirs`)).toMatchObject({ metadata });
  });
});

describe('a control plane that does not start', () => {
  it('is told of at the time-out, and the next look finishes it', async () => {
    const id = createId();
    host.node.halted = true;
    const impatient = await host.provisionerWith({ settings: { timeoutMs: 5_000 } });
    const refused = refusal(id, { by: impatient });
    const { namespace } = hostNames(id);
    const pods = `/api/v1/namespaces/${namespace}/pods/vcluster-0`;
    await poll('its pod', () => host.root.request(pods).then(Boolean, () => false));
    // As the scheduler warns of a pod that no node has room for.
    const body = {
      metadata: { generateName: 'vcluster-0.' },
      involvedObject: { kind: 'Pod', namespace, name: 'vcluster-0' },
      type: 'Warning',
      reason: 'FailedScheduling',
      message: '0/3 nodes are available: 3 Insufficient cpu.',
      lastTimestamp: new Date().toISOString(),
    };
    await host.root.request(`/api/v1/namespaces/${namespace}/events`, { method: 'POST', body });
    expect(await refused).toMatchObject({
      reason: 'TimedOut',
      message: expect.stringContaining('Insufficient cpu'),
    });
    host.node.halted = false;
    await ensure(id);
    await provisioner.remove(id);
  });
});

describe('a vCluster that was worked on by hand', () => {
  const id = createId();
  const { namespace } = hostNames(id);
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  type Record = { metadata: { name: string; labels: object }; data: { release: string } };
  const lastRecord = async (): Promise<Record> => {
    const query = { labelSelector: 'owner=helm' };
    const { items } = (await host.root.request(secrets, { query })) as { items: Record[] };
    return items
      .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
      .at(-1) as Record;
  };

  it('is made again when its StatefulSet was deleted, with its data', async () => {
    const before = await ensure(id);
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/vcluster`;
    await host.root.request(path, { method: 'DELETE' });
    await poll('it to go', () =>
      host.root.request(path).then(
        () => false,
        () => true,
      ),
    );
    const after = await ensure(id);
    expect(after.certificateAuthority).toBe(before.certificateAuthority);
  });

  it('is made whole again when its Service was deleted', async () => {
    await ensure(id);
    const path = `/api/v1/namespaces/${namespace}/services/vcluster`;
    await host.root.request(path, { method: 'DELETE' });
    const impatient = await host.provisionerWith({ settings: { timeoutMs: 2_000 } });
    expect(await refusal(id, { by: impatient })).toMatchObject({
      reason: 'TimedOut',
      message: expect.stringContaining('load balancer'),
    });
    await ensure(id);
    expect(await host.root.request(path)).toMatchObject({ metadata: { name: 'vcluster' } });
  });

  it('is upgraded after a helm that died in the middle: "pending" holds up nobody', async () => {
    const record = await lastRecord();
    const json = gunzipSync(
      Buffer.from(Buffer.from(record.data.release, 'base64').toString(), 'base64'),
    );
    const release = JSON.parse(json.toString()) as { info: { status: string } };
    release.info.status = 'pending-upgrade';
    const encoded = gzipSync(JSON.stringify(release)).toString('base64');
    await host.root.request(`${secrets}/${record.metadata.name}`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { labels: { status: 'pending-upgrade' } },
        data: { release: Buffer.from(encoded).toString('base64') },
      },
    });
    const chart = { ...host.settings.chart, version: '1.1.0' };
    await ensure(id, { by: await host.provisionerWith({ settings: { chart } }) });
    const set = await host.root.request(
      `/apis/apps/v1/namespaces/${namespace}/statefulsets/vcluster`,
    );
    expect(set).toMatchObject({ metadata: { labels: { chart: 'vcluster-1.1.0' } } });
    expect((await lastRecord()).metadata.labels).toMatchObject({ status: 'deployed' });
  });

  it('is made again when the whole namespace was deleted', async () => {
    await host.root.request(`/api/v1/namespaces/${namespace}`, { method: 'DELETE' });
    const error = await refusal(id);
    if (error.reason !== 'none') expect(error.reason).toBe('Terminating');
    await poll('it to be there again', () => ensure(id), 40_000);
    await provisioner.remove(id);
  });
});
