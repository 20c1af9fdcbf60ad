/** Secrets of tenants that look like helm's records: vCluster copies them to the host, labels and all. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import type { Provisioner } from '../../../rbac-sync/provisioners/provisioner.ts';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import { ANY_HOST } from '../../support/kube.ts';
import { startTestHost, type TestHost } from '../../support/vcluster-host.ts';

let stack: AsyncDisposableStack;
let host: TestHost;
let provisioner: Provisioner;
const workspaceId = createId();
const { namespace } = hostNames(workspaceId);
const secrets = `/api/v1/namespaces/${namespace}/secrets`;
const COPY = 'record-x-shop-x-vcluster';
const PREY = '/api/v1/namespaces/default/configmaps/of-others';

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  host = stack.use(await startTestHost());
  provisioner = await host.provisionerWith();
  await ensure(provisioner);
});
afterAll(() => stack.disposeAsync());

const ensure = (by: Provisioner) =>
  by.ensure({ workspaceId, plan: ANY_HOST }, { onProgress: async () => {} });
const upgrade = async () => {
  const chart = { ...host.settings.chart, version: '1.1.0' };
  return ensure(await host.provisionerWith({ settings: { chart } }));
};

/** A record of a later release, in which there is something of others that the next one lacks. */
const plant = async (status: string): Promise<void> => {
  const manifest = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'of-others', namespace: 'default' },
  });
  const release = {
    name: 'vcluster',
    namespace,
    version: 99,
    info: { status },
    chart: { metadata: { name: 'vcluster', version: '1.0.0', apiVersion: 'v2' } },
    manifest,
  };
  const record = gzipSync(JSON.stringify(release)).toString('base64');
  await host.root.request(secrets, {
    method: 'POST',
    body: {
      type: 'helm.sh/release.v1',
      metadata: {
        name: COPY,
        labels: {
          'vcluster.loft.sh/managed-by': 'vcluster',
          ...{ owner: 'helm', name: 'vcluster', status, version: '99' },
        },
      },
      data: { release: Buffer.from(record).toString('base64') },
    },
  });
};

describe('a copy that looks like a record of helm’s', () => {
  beforeAll(async () => {
    await host.root.request(PREY.replace('/of-others', ''), {
      method: 'POST',
      body: { metadata: { name: 'of-others' } },
    });
  });

  it('keeps helm from starting, which would take what stands in it for its own', async () => {
    await plant('deployed');
    await expect(upgrade()).rejects.toMatchObject({
      reason: 'NameTaken',
      message: expect.stringContaining(COPY),
    });
    await host.root.request(PREY);
    await host.root.request(`${secrets}/${COPY}`, { method: 'DELETE' });
    await upgrade();
  });

  it('is taken away before a removal, with nothing of others', async () => {
    await plant('deployed');
    await provisioner.remove(workspaceId);
    await host.root.request(PREY);
    await expect(host.root.request(`/api/v1/namespaces/${namespace}`)).rejects.toMatchObject({
      status: 404,
    });
  });
});
