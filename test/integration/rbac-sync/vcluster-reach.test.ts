/** The ways to a vCluster's API server, and the trust that it is given without a restart. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { createKubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import { ANY_HOST, aSubject } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startSigningIssuer } from '../../support/signing-issuer.ts';
import { startTestHost, type TestHost } from '../../support/vcluster-host.ts';

let stack: AsyncDisposableStack;
let host: TestHost;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  host = stack.use(await startTestHost());
});
afterAll(() => stack.disposeAsync());

const quiet = { onProgress: async () => {} };
const HOST = '{workspace}.clusters.invalid';

describe('an endpoint', () => {
  it('that is an Ingress is on the host under the workspace’s name, and told of while nobody resolves it', async () => {
    const workspaceId = createId();
    const { namespace } = hostNames(workspaceId);
    const annotations = { 'nginx.ingress.kubernetes.io/ssl-passthrough': 'true' };
    const endpoint = { kind: 'ingress', host: HOST, ingressClass: 'nginx', annotations } as const;
    const provisioner = await host.provisionerWith({ settings: { endpoint, timeoutMs: 15_000 } });
    await expect(provisioner.ensure({ workspaceId, plan: ANY_HOST }, quiet)).rejects.toMatchObject({
      reason: 'TimedOut',
      message: expect.stringContaining(`https://${namespace}.clusters.invalid`),
    });
    const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/vcluster`;
    expect(await host.root.request(path)).toMatchObject({
      metadata: { annotations },
      spec: { ingressClassName: 'nginx', rules: [{ host: `${namespace}.clusters.invalid` }] },
    });
    await provisioner.remove(workspaceId);
  });

  it('that is a TLSRoute is told of on a host without the Gateway API', async () => {
    const workspaceId = createId();
    const gateway = { name: 'edge', namespace: 'gateways' };
    const endpoint = { kind: 'tls-route', host: HOST, gateway } as const;
    const provisioner = await host.provisionerWith({ settings: { endpoint } });
    await expect(provisioner.ensure({ workspaceId, plan: ANY_HOST }, quiet)).rejects.toMatchObject({
      reason: 'ChartRefused',
      message: expect.stringContaining('TLSRoute'),
    });
    await provisioner.remove(workspaceId);
  });
});

describe('another issuer', () => {
  it('is trusted by a running API server, and the one before no longer', async () => {
    const workspaceId = createId();
    const spec = { workspaceId, plan: ANY_HOST };
    const other = stack.use(await startSigningIssuer());
    const plane = await (await host.provisionerWith()).ensure(spec, quiet);
    const isAccepted = async (issuer: typeof other): Promise<boolean> => {
      const audience = formatId('workspace', workspaceId);
      const token = await issuer.sign({ audience, subject: aSubject(), groups: [] });
      await using client = createKubernetesClient({ ...plane, credential: { token: () => token } });
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      return await client.request(path, { method: 'POST', body: {} }).then(
        () => true,
        () => false,
      );
    };
    const pods = `/api/v1/namespaces/${hostNames(workspaceId).namespace}/pods/vcluster-0`;
    const uid = async () =>
      ((await host.root.request(pods)) as { metadata: { uid: string } }).metadata.uid;
    const before = await uid();
    await poll('the first issuer to be trusted', () => isAccepted(host.issuer));
    await (await host.provisionerWith({ issuer: other })).ensure(spec, quiet);
    // The API server looks at its file once a minute.
    await poll('the other issuer to be trusted', () => isAccepted(other), 90_000);
    expect(await isAccepted(host.issuer)).toBe(false);
    expect(await uid()).toBe(before);
  }, 150_000);
});
