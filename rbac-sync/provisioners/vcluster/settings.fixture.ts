/** Settings for the tests of this folder. */
import type { VclusterSettings } from './settings.ts';

/** As an operator has them who sets next to nothing. */
export const SETTINGS: VclusterSettings = {
  chart: { name: 'vcluster', repository: 'https://charts.example.com', version: '1.2.3' },
  delivery: { kind: 'helm' },
  endpoint: { kind: 'load-balancer', annotations: {} },
  replicas: 1,
  storage: {
    shared: { backingStore: 'database', size: '5Gi' },
    dedicated: { backingStore: 'etcd', size: '20Gi' },
  },
  podSecurity: 'baseline',
  privateNetworks: ['10.0.0.0/8', '192.168.0.0/16', 'fc00::/7'],
  syncNetworkPolicies: false,
  timeoutMs: 60_000,
};
