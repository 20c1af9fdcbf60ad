/** What an operator decides for all vClusters of a host. */

/** Where vCluster keeps its data. It can't be changed for a vCluster that exists. */
export type Storage = {
  /** SQLite on the control plane's own volume, or an etcd beside it. */
  readonly backingStore: 'database' | 'etcd';
  /** Size of the PersistentVolumeClaim, a Kubernetes quantity. */
  readonly size: string;
  /** StorageClass; the host's default without it. */
  readonly storageClass?: string | undefined;
};

/** How the API server is reached from outside; `{workspace}` in a template is the namespace's name. */
export type Endpoint =
  | { readonly kind: 'load-balancer'; readonly annotations: Readonly<Record<string, string>> }
  | {
      readonly kind: 'ingress';
      /** Template of the host name. The controller must pass TLS through. */
      readonly host: string;
      readonly ingressClass?: string | undefined;
      readonly annotations: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'tls-route';
      /** Template of the host name. */
      readonly host: string;
      readonly gateway: { readonly name: string; readonly namespace: string };
    }
  /** Something else leads there; template of `https://host:port`. */
  | { readonly kind: 'address'; readonly address: string };

/** What brings the chart to the host. */
export type Delivery =
  | { readonly kind: 'helm' }
  | { readonly kind: 'flux' }
  /** `namespace` is Argo CD's own, `project` its AppProject. */
  | { readonly kind: 'argocd'; readonly namespace: string; readonly project: string };

/** Which chart. */
export type Chart = {
  /** A name in the repository, an `oci://` reference, or (with helm only) a path. */
  readonly name: string;
  /** URL of a chart repository; none with `oci://` or a path. */
  readonly repository?: string | undefined;
  readonly version: string;
};

/** Levels of the Pod Security Standards. */
export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted';

/** The settings of the vcluster provisioner. */
export type VclusterSettings = {
  readonly chart: Chart;
  readonly delivery: Delivery;
  readonly endpoint: Endpoint;
  /** Tag of the Kubernetes image; the chart's own without it. */
  readonly kubernetesVersion?: string | undefined;
  readonly replicas: number;
  /** By the plan's isolation. */
  readonly storage: { readonly shared: Storage; readonly dedicated: Storage };
  readonly podSecurity: PodSecurityLevel;
  /** Networks that pods can't reach outside their namespace, CIDRs: those in which other pods are. */
  readonly privateNetworks: readonly string[];
  /**
   * Whether tenants' NetworkPolicies reach the host. There they also open what ours keep shut, since
   * policies only ever add: for hosts that have another wall between workspaces.
   */
  readonly syncNetworkPolicies: boolean;
  /** How long a control plane may take to come up, in milliseconds. */
  readonly timeoutMs: number;
};
