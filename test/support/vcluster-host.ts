/** A host cluster on which the vcluster provisioner works: real API server, real helm, stand-in nodes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { authenticationConfiguration } from '#domain/authentication-configuration.ts';
import { createId } from '#domain/identifiers.ts';
import {
  type Credential,
  createKubernetesClient,
  type KubernetesClient,
} from '../../rbac-sync/cluster/kubernetes-client.ts';
import type { ControlPlane, Provisioner } from '../../rbac-sync/provisioners/provisioner.ts';
import { openHost } from '../../rbac-sync/provisioners/vcluster/host.ts';
import { createDelivery } from '../../rbac-sync/provisioners/vcluster/open-vcluster.ts';
import type { VclusterSettings } from '../../rbac-sync/provisioners/vcluster/settings.ts';
import { createVclusterProvisioner } from '../../rbac-sync/provisioners/vcluster/vcluster-provisioner.ts';
import { createTestProvisioner, ensurePlane } from './kube.ts';
import type { SigningIssuer } from './signing-issuer.ts';
import { type ChartRepository, startChartRepository } from './vcluster-charts.ts';
import { startVclusterNode, type VclusterNode } from './vcluster-node.ts';

/** A host, and what a test needs to work on it and to look at it. */
export type TestHost = AsyncDisposable & {
  readonly issuer: SigningIssuer;
  /** As system:masters. */
  readonly root: KubernetesClient;
  /** Path of a kubeconfig of system:masters. */
  readonly kubeconfig: string;
  readonly charts: ChartRepository;
  readonly node: VclusterNode;
  readonly settings: VclusterSettings;
  /** Writes a kubeconfig for someone else. @returns its path */
  readonly kubeconfigFor: (credential: Credential, server?: string) => Promise<string>;
  /** A provisioner as rbac-sync has it; disposed of with the host. */
  readonly provisionerWith: (options?: ProvisionerOptions) => Promise<Provisioner>;
};

/** What differs from the usual. */
export type ProvisionerOptions = {
  readonly settings?: Partial<VclusterSettings>;
  readonly kubeconfig?: string;
  readonly helm?: string;
  /** The issuer that API servers trust. */
  readonly issuer?: SigningIssuer;
};

/** The versions of the chart in the repository. */
export const CHART_VERSIONS = ['1.0.0', '1.1.0'] as const;

/** Starts everything. */
export const startTestHost = async (): Promise<TestHost> => {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-host-test-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const planes = cleanup.use(await createTestProvisioner());
  const { issuer } = planes;
  const plane = await ensurePlane(planes.provisioner, createId());
  const credential = await plane.bootstrapCredential();
  const root = cleanup.use(createKubernetesClient({ ...plane, credential }));
  const charts = cleanup.use(await startChartRepository(inject('helm'), CHART_VERSIONS));
  const node = cleanup.use(await startVclusterNode(root, inject('controlPlaneDirectory')));
  const kubeconfigFor = async (other: Credential, server = plane.server): Promise<string> => {
    const path = join(directory, `${createId()}.kubeconfig`);
    await writeFile(path, stringify(kubeconfigOf({ ...plane, server }, other)), { mode: 0o600 });
    return path;
  };
  const settings = settingsFor(charts);
  const kubeconfig = await kubeconfigFor(credential);
  const provisionerWith = async (options: ProvisionerOptions = {}): Promise<Provisioner> => {
    const host = await openHost(options.kubeconfig ?? kubeconfig);
    const all = { ...settings, ...options.settings };
    const program = options.helm ?? inject('helm');
    const environment = { PATH: '/usr/bin:/bin' };
    return resources.use(
      createVclusterProvisioner({
        host,
        settings: all,
        delivery: createDelivery(host, all, { program, environment, orphanMs: 1_000 }),
        trustedMs: 0,
        configurationFor: (workspaceId) => ({
          authentication: authenticationConfiguration(workspaceId, options.issuer ?? issuer),
        }),
      }),
    );
  };
  const resources = cleanup.move();
  return {
    issuer,
    root,
    kubeconfig,
    charts,
    node,
    settings,
    kubeconfigFor,
    provisionerWith,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

const settingsFor = ({ url }: ChartRepository): VclusterSettings => ({
  chart: { name: 'vcluster', repository: url, version: CHART_VERSIONS[0] },
  delivery: { kind: 'helm' },
  endpoint: { kind: 'load-balancer', annotations: {} },
  replicas: 1,
  storage: {
    shared: { backingStore: 'database', size: '1Gi' },
    dedicated: { backingStore: 'database', size: '2Gi' },
  },
  podSecurity: 'baseline',
  privateNetworks: ['10.0.0.0/8'],
  syncNetworkPolicies: false,
  timeoutMs: 30_000,
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const kubeconfigOf = (plane: ControlPlane, credential: Credential): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {
      name: 'host',
      cluster: {
        server: plane.server,
        'certificate-authority-data': base64(plane.certificateAuthority),
      },
    },
  ],
  users: [
    {
      name: 'host',
      user:
        'token' in credential
          ? { token: credential.token() }
          : {
              'client-certificate-data': base64(credential.certificate),
              'client-key-data': base64(credential.privateKey),
            },
    },
  ],
  contexts: [{ name: 'host', context: { cluster: 'host', user: 'host' } }],
  'current-context': 'host',
});
