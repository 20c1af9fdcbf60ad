/** A workspace's `vcluster.yaml`: the values of the official chart, from its plan and our settings. */
import { createHash } from 'node:crypto';
import type { HostPlan, Toleration } from '#domain/plan.ts';
import { AUDIT_FLAGS } from '../audit-flags.ts';
import type { ApiServerConfiguration } from '../provisioner.ts';
import { fillTemplate, type HostNames } from './names.ts';
import type { Endpoint, Storage, VclusterSettings } from './settings.ts';

/** Where the configuration Secret is mounted; as a directory, because a subPath is never updated. */
export const CONFIGURATION_DIRECTORY = '/etc/hexabase';

/** The keys of the configuration Secret, which are the files' names. */
export const CONFIGURATION_FILES = {
  authentication: 'authentication.yaml',
  auditPolicy: 'audit-policy.yaml',
  auditWebhook: 'audit-webhook.yaml',
} as const;

/** What decides {@link vclusterValues}. */
export type ValuesInput = {
  readonly names: HostNames;
  readonly plan: HostPlan;
  readonly configuration: ApiServerConfiguration;
  readonly settings: VclusterSettings;
  /** What the vCluster was made with; it can't be changed later. */
  readonly storage: Storage;
};

/** The chart's values (https://www.vcluster.com/docs, `vcluster.yaml`). */
export const vclusterValues = (input: ValuesInput): Record<string, unknown> => {
  const { names, plan, settings } = input;
  return {
    controlPlane: {
      distro: { k8s: kubernetes(input) },
      backingStore: backingStore(input),
      ...endpointValues(settings.endpoint, names),
      statefulSet: statefulSet(input),
    },
    sync: {
      // Selects the nodes that pods are bound to, too: a pod of the tenant's can't choose others.
      fromHost: { nodes: nodes(plan) },
      toHost: {
        pods: { enforceTolerations: plan.tolerations.flatMap(toleration) },
        networkPolicies: { enabled: settings.syncNetworkPolicies },
      },
    },
    policies: {
      podSecurityStandard: settings.podSecurity,
      // Ours are applied beside the chart, so that they are there before it and with any version.
      resourceQuota: { enabled: false },
      limitRange: { enabled: false },
      networkPolicy: { enabled: false },
    },
    exportKubeConfig: { context: names.namespace, ...exportedServer(settings.endpoint, names) },
    telemetry: { enabled: false },
  };
};

const kubernetes = ({ configuration, settings }: ValuesInput) => {
  const file = (name: string) => `${CONFIGURATION_DIRECTORY}/${name}`;
  const extraArgs = [
    `--authentication-config=${file(CONFIGURATION_FILES.authentication)}`,
    // A tenant can ask for a token of any life; one that outlives its maker by years is refused.
    '--service-account-max-token-expiration=24h',
    ...(configuration.audit
      ? [
          `--audit-policy-file=${file(CONFIGURATION_FILES.auditPolicy)}`,
          `--audit-webhook-config-file=${file(CONFIGURATION_FILES.auditWebhook)}`,
          ...Object.entries(AUDIT_FLAGS).map(([name, value]) => `--${name}=${value}`),
        ]
      : []),
  ];
  return {
    enabled: true,
    ...(settings.kubernetesVersion && { version: settings.kubernetesVersion }),
    apiServer: { extraArgs },
  };
};

const backingStore = ({ storage, plan, settings }: ValuesInput) => {
  if (storage.backingStore === 'database') return { database: { embedded: { enabled: true } } };
  const statefulSet = {
    highAvailability: { replicas: settings.replicas },
    persistence: { volumeClaim: volumeClaim(storage) },
    ...scheduling(plan),
  };
  return { etcd: { deploy: { enabled: true, statefulSet } } };
};

const volumeClaim = ({ size, storageClass }: Storage) => ({
  enabled: true,
  // A claim goes when we remove the workspace, and not with its release.
  retentionPolicy: 'Retain',
  size,
  ...(storageClass && { storageClass }),
});

const scheduling = ({ nodeSelector, tolerations }: HostPlan) => ({
  scheduling: { nodeSelector, tolerations },
});

const statefulSet = ({ names, plan, configuration, settings, storage }: ValuesInput) => ({
  highAvailability: { replicas: settings.replicas },
  ...scheduling(plan),
  persistence: {
    volumeClaim: volumeClaim(storage),
    addVolumes: [{ name: 'hexabase', secret: { secretName: names.configurationSecret } }],
    addVolumeMounts: [{ name: 'hexabase', mountPath: CONFIGURATION_DIRECTORY, readOnly: true }],
  },
  ...(configuration.audit && {
    // Unlike the authentication, these files are read at the start only.
    pods: { annotations: { 'kaas.hexabase.io/audit': digest(configuration.audit) } },
  }),
});

const endpointValues = (endpoint: Endpoint, names: HostNames): Record<string, unknown> => {
  switch (endpoint.kind) {
    case 'load-balancer':
      return { service: { annotations: endpoint.annotations, spec: { type: 'LoadBalancer' } } };
    case 'ingress': {
      const { ingressClass, annotations } = endpoint;
      const host = fillTemplate(endpoint.host, names);
      const spec = ingressClass ? { ingressClassName: ingressClass } : {};
      return {
        ingress: { enabled: true, host, pathType: 'ImplementationSpecific', annotations, spec },
        proxy: { extraSANs: [host] },
      };
    }
    case 'tls-route': {
      const host = fillTemplate(endpoint.host, names);
      const parentRefs = [{ ...endpoint.gateway }];
      return { tlsRoute: { enabled: true, host, parentRefs }, proxy: { extraSANs: [host] } };
    }
    case 'address':
      return {
        proxy: { extraSANs: [new URL(fillTemplate(endpoint.address, names)).hostname] },
      };
  }
};

/** `https://host:port` where the setting alone says it; a load balancer gives its address later. */
export const configuredServer = (endpoint: Endpoint, names: HostNames): string | undefined => {
  if (endpoint.kind === 'load-balancer') return undefined;
  if (endpoint.kind === 'address') return new URL(fillTemplate(endpoint.address, names)).origin;
  return `https://${fillTemplate(endpoint.host, names)}`;
};

const exportedServer = (endpoint: Endpoint, names: HostNames) => {
  const server = configuredServer(endpoint, names);
  return server === undefined ? {} : { server };
};

const nodes = ({ nodeSelector }: HostPlan) =>
  Object.keys(nodeSelector).length === 0
    ? { enabled: false }
    : { enabled: true, selector: { labels: nodeSelector } };

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

/**
 * vCluster's own notation of a toleration: `*`, `key=value`, `key=value:effect`, `key:effect`. It drops
 * silently what it can't read, and a key alone would tolerate an empty value only, so that a
 * toleration of every effect is spelled out.
 */
const toleration = ({ key = '', operator, value = '', effect }: Toleration): string[] => {
  if (operator !== 'Exists') return [`${key}=${value}${effect ? `:${effect}` : ''}`];
  if (key === '' && effect === undefined) return ['*'];
  return (effect ? [effect] : EFFECTS).map((each) => `${key}:${each}`);
};

/** A short fingerprint of anything that is JSON. */
export const digest = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
