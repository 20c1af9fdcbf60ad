/**
 * What stands on the host around a vCluster, whatever the chart's version: the namespace with its Pod
 * Security level, the plan's quota, defaults for pods that say nothing, the walls between workspaces,
 * and the files that configure the API server.
 */
import { stringify } from 'yaml';
import type { HostPlan } from '#domain/plan.ts';
import type { ApiServerConfiguration } from '../provisioner.ts';
import { type HostNames, hostLabels } from './names.ts';
import type { PodSecurityLevel, VclusterSettings } from './settings.ts';
import { CONFIGURATION_FILES } from './values.ts';

/** An object on the host and where it is applied. */
export type HostObject = {
  readonly path: string;
  readonly body: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  };
};

/** What decides {@link hostObjects}. */
export type HostObjectsInput = {
  readonly names: HostNames;
  readonly plan: HostPlan;
  readonly configuration: ApiServerConfiguration;
  readonly settings: Pick<VclusterSettings, 'podSecurity' | 'privateNetworks'>;
};

/** The namespace of a workspace. */
export const namespaceObject = (names: HostNames, podSecurity: PodSecurityLevel): HostObject => ({
  path: `/api/v1/namespaces/${names.namespace}`,
  body: {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: names.namespace,
      labels: {
        ...hostLabels(names),
        'pod-security.kubernetes.io/enforce': podSecurity,
        'pod-security.kubernetes.io/warn': 'restricted',
        'pod-security.kubernetes.io/audit': 'restricted',
      },
    },
  },
});

/** Everything that is applied in the namespace before the chart, in order. */
export const hostObjects = (input: HostObjectsInput): HostObject[] => {
  const { names, plan, configuration, settings } = input;
  const object = (plural: string, name: string, body: object): HostObject => {
    const { kind, apiVersion } = KINDS[plural as keyof typeof KINDS];
    const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    return {
      path: `${base}/namespaces/${names.namespace}/${plural}/${name}`,
      body: { apiVersion, kind, metadata: { name, labels: hostLabels(names) }, ...body },
    };
  };
  return [
    object('resourcequotas', 'hexabase-plan', { spec: { hard: plan.workspaceQuota } }),
    object('limitranges', 'hexabase-defaults', { spec: { limits: [defaults(plan)] } }),
    object('networkpolicies', 'hexabase-isolation', {
      spec: isolation(settings.privateNetworks),
    }),
    object('networkpolicies', 'hexabase-control-plane', { spec: controlPlane(names) }),
    object('secrets', names.configurationSecret, {
      type: 'Opaque',
      data: configurationFiles(configuration),
    }),
  ];
};

const KINDS = {
  resourcequotas: { apiVersion: 'v1', kind: 'ResourceQuota' },
  limitranges: { apiVersion: 'v1', kind: 'LimitRange' },
  secrets: { apiVersion: 'v1', kind: 'Secret' },
  networkpolicies: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
} as const;

/** What a container gets that says nothing: a quota on a resource refuses pods that don't state it. */
const defaults = ({ workspaceQuota }: HostPlan) => ({
  type: 'Container',
  defaultRequest: { cpu: '50m', memory: '64Mi' },
  default: {
    ...('limits.cpu' in workspaceQuota && { cpu: '1' }),
    ...('limits.memory' in workspaceQuota && { memory: '512Mi' }),
  },
});

const DNS = [
  { protocol: 'UDP', port: 53 },
  { protocol: 'TCP', port: 53 },
];

/**
 * Pods talk to each other within the namespace and to the outside, never to another workspace's: those
 * are in private networks, as are the host's nodes and its metadata service. The host's DNS is allowed.
 */
const isolation = (privateNetworks: readonly string[]) => ({
  podSelector: {},
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ from: [{ podSelector: {} }] }],
  egress: [
    { to: [{ podSelector: {} }] },
    {
      to: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
          podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
        },
      ],
      ports: DNS,
    },
    { to: outside(privateNetworks) },
  ],
});

const outside = (privateNetworks: readonly string[]) =>
  (['0.0.0.0/0', '::/0'] as const).map((cidr) => ({
    ipBlock: { cidr, except: privateNetworks.filter((each) => isIpv6(each) === isIpv6(cidr)) },
  }));

const isIpv6 = (cidr: string): boolean => cidr.includes(':');

/**
 * The API server is reached from anywhere, and reaches the host's, the issuer and the audit webhook,
 * wherever those are. A pod that a tenant
 * gives the same labels is still one that vCluster manages, and gets none of this.
 */
const controlPlane = ({ release }: HostNames) => ({
  podSelector: {
    matchLabels: { release },
    matchExpressions: [
      { key: 'app', operator: 'In', values: ['vcluster', 'vcluster-etcd'] },
      { key: 'vcluster.loft.sh/managed-by', operator: 'DoesNotExist' },
    ],
  },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ ports: [{ protocol: 'TCP', port: 8443 }] }],
  egress: [{}],
});

const configurationFiles = ({ authentication, audit }: ApiServerConfiguration) => {
  const file = (content: object) => Buffer.from(stringify(content)).toString('base64');
  return {
    [CONFIGURATION_FILES.authentication]: file(authentication),
    ...(audit && {
      [CONFIGURATION_FILES.auditPolicy]: file(audit.policy),
      [CONFIGURATION_FILES.auditWebhook]: file(audit.webhook),
    }),
  };
};
