/** The vcluster provisioner's settings in the environment. */
import * as z from 'zod';
import { Flag, Json } from '#runtime/config.ts';
import type { Chart, Delivery, Endpoint, Storage, VclusterSettings } from './settings.ts';

const List = z.string().transform((text) =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== ''),
);

const Annotations = Json.pipe(z.record(z.string(), z.string()));

const BackingStore = z.enum(['database', 'etcd']);
const Size = z.string().regex(/^\d+(Ki|Mi|Gi|Ti)$/, 'Must be a quantity such as 5Gi.');
/** `{workspace}` keeps workspaces apart. */
const Template = z.string().includes('{workspace}');

/** Where pods of other workspaces, nodes and metadata services are (RFC 1918, 3927, 4193, 6598). */
const PRIVATE_NETWORKS =
  '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16,fc00::/7,fe80::/10';

/** Settings of the environment; used when workspaces have vClusters. */
export const vclusterEnvironment = {
  /** Kubeconfig of the host cluster; without it, the pod's own ServiceAccount. */
  HOST_KUBECONFIG: z.string().optional(),
  VCLUSTER_CHART: z.string().default('vcluster'),
  VCLUSTER_CHART_REPOSITORY: z.url({ protocol: /^https?$/ }).default('https://charts.loft.sh'),
  VCLUSTER_CHART_VERSION: z.string().default('0.36.0'),
  VCLUSTER_KUBERNETES_VERSION: z
    .string()
    .regex(/^v\d+\.\d+\.\d+/)
    .optional(),
  VCLUSTER_HELM: z.string().default('helm'),
  VCLUSTER_DELIVERY: z.enum(['helm', 'flux', 'argocd']).default('helm'),
  VCLUSTER_ARGOCD_NAMESPACE: z.string().default('argocd'),
  VCLUSTER_ARGOCD_PROJECT: z.string().default('default'),
  VCLUSTER_ENDPOINT: z
    .enum(['load-balancer', 'ingress', 'tls-route', 'address'])
    .default('load-balancer'),
  VCLUSTER_HOST: Template.optional(),
  VCLUSTER_ADDRESS: Template.startsWith('https://').optional(),
  VCLUSTER_INGRESS_CLASS: z.string().optional(),
  VCLUSTER_ENDPOINT_ANNOTATIONS: Annotations.default({}),
  /** `namespace/name` */
  VCLUSTER_GATEWAY: z
    .string()
    .regex(/^[a-z0-9-]+\/[a-z0-9.-]+$/)
    .optional(),
  VCLUSTER_REPLICAS: z.coerce.number().int().min(1).max(9).default(1),
  VCLUSTER_BACKING_STORE: BackingStore.default('database'),
  VCLUSTER_VOLUME_SIZE: Size.default('5Gi'),
  VCLUSTER_DEDICATED_BACKING_STORE: BackingStore.optional(),
  VCLUSTER_DEDICATED_VOLUME_SIZE: Size.optional(),
  VCLUSTER_STORAGE_CLASS: z.string().optional(),
  VCLUSTER_POD_SECURITY: z.enum(['privileged', 'baseline', 'restricted']).default('baseline'),
  VCLUSTER_PRIVATE_NETWORKS: List.prefault(PRIVATE_NETWORKS),
  VCLUSTER_SYNC_NETWORK_POLICIES: Flag.default(false),
  VCLUSTER_TIMEOUT_SECONDS: z.coerce.number().int().min(10).max(3_600).default(300),
  // What helm is given of our own environment.
  PATH: z.string().optional(),
  HTTPS_PROXY: z.string().optional(),
  HTTP_PROXY: z.string().optional(),
  NO_PROXY: z.string().optional(),
  HELM_REGISTRY_CONFIG: z.string().optional(),
  HELM_REPOSITORY_CONFIG: z.string().optional(),
};

const VclusterEnvironment = z.object(vclusterEnvironment);
export type VclusterEnvironment = z.infer<typeof VclusterEnvironment>;

/** What helm inherits. */
export const helmEnvironment = (
  config: VclusterEnvironment,
): Record<string, string | undefined> => {
  const { PATH, HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = config;
  const { HELM_REGISTRY_CONFIG, HELM_REPOSITORY_CONFIG } = config;
  return { PATH, HTTPS_PROXY, HTTP_PROXY, NO_PROXY, HELM_REGISTRY_CONFIG, HELM_REPOSITORY_CONFIG };
};

/** @throws Error that names a setting which the others ask for and which is missing */
export const toVclusterSettings = (config: VclusterEnvironment): VclusterSettings => ({
  chart: toChart(config),
  delivery: toDelivery(config),
  endpoint: toEndpoint(config),
  kubernetesVersion: config.VCLUSTER_KUBERNETES_VERSION,
  replicas: config.VCLUSTER_REPLICAS,
  storage: {
    shared: toStorage(config, config.VCLUSTER_BACKING_STORE, config.VCLUSTER_VOLUME_SIZE),
    dedicated: toStorage(
      config,
      config.VCLUSTER_DEDICATED_BACKING_STORE ?? config.VCLUSTER_BACKING_STORE,
      config.VCLUSTER_DEDICATED_VOLUME_SIZE ?? config.VCLUSTER_VOLUME_SIZE,
    ),
  },
  podSecurity: config.VCLUSTER_POD_SECURITY,
  privateNetworks: config.VCLUSTER_PRIVATE_NETWORKS,
  syncNetworkPolicies: config.VCLUSTER_SYNC_NETWORK_POLICIES,
  timeoutMs: config.VCLUSTER_TIMEOUT_SECONDS * 1000,
});

const toStorage = (
  { VCLUSTER_STORAGE_CLASS: storageClass }: VclusterEnvironment,
  backingStore: Storage['backingStore'],
  size: string,
): Storage => ({ backingStore, size, ...(storageClass && { storageClass }) });

const toChart = (config: VclusterEnvironment): Chart => {
  const { VCLUSTER_CHART: name, VCLUSTER_CHART_VERSION: version } = config;
  // A path or an OCI reference says by itself where the chart is.
  const isPlain = /^[a-z0-9-]+$/.test(name);
  return { name, version, ...(isPlain && { repository: config.VCLUSTER_CHART_REPOSITORY }) };
};

const toDelivery = (config: VclusterEnvironment): Delivery => {
  const { VCLUSTER_DELIVERY: kind } = config;
  if (kind !== 'argocd') return { kind };
  const { VCLUSTER_ARGOCD_NAMESPACE: namespace, VCLUSTER_ARGOCD_PROJECT: project } = config;
  return { kind, namespace, project };
};

const toEndpoint = (config: VclusterEnvironment): Endpoint => {
  const annotations = config.VCLUSTER_ENDPOINT_ANNOTATIONS;
  const need = (name: 'VCLUSTER_HOST' | 'VCLUSTER_ADDRESS' | 'VCLUSTER_GATEWAY'): string => {
    const value = config[name];
    if (value !== undefined) return value;
    throw new Error(`VCLUSTER_ENDPOINT=${config.VCLUSTER_ENDPOINT} needs ${name}`);
  };
  switch (config.VCLUSTER_ENDPOINT) {
    case 'load-balancer':
      return { kind: 'load-balancer', annotations };
    case 'address':
      return { kind: 'address', address: need('VCLUSTER_ADDRESS') };
    case 'ingress': {
      const ingressClass = config.VCLUSTER_INGRESS_CLASS;
      return { kind: 'ingress', host: need('VCLUSTER_HOST'), ingressClass, annotations };
    }
    case 'tls-route': {
      const [namespace = '', name = ''] = need('VCLUSTER_GATEWAY').split('/');
      return { kind: 'tls-route', host: need('VCLUSTER_HOST'), gateway: { namespace, name } };
    }
  }
};
