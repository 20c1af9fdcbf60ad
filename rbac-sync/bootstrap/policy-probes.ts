/**
 * Proof that the admission policies are in force: the API server compiles and caches them after it has
 * stored them, and until then they refuse nothing. Each is asked, as a dry run, for something that it
 * alone refuses.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MANAGED_BY, MANAGED_BY_LABEL } from '#domain/kubernetes-objects.ts';
import { INSTALLER, PROBER, PROBER_BINDING, SYNC_USER } from '../cluster/identities.ts';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import { KubernetesError } from '../cluster/kubernetes-error.ts';
import { applyObject, removeObject } from '../cluster/object-requests.ts';

/** A request that only one policy refuses. */
type Probe = {
  readonly policy: string;
  /** Acts as the sync identity, or as the prober, who may do everything. */
  readonly as: string;
  readonly path: string;
  readonly body: object;
};

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const BINDING_PATH = `${RBAC}/clusterrolebindings/${PROBER_BINDING}`;
const DEADLINE_MS = 30_000;

const PROBES: readonly Probe[] = [
  {
    policy: 'hexabase-cluster-roles',
    as: PROBER,
    path: `${RBAC}/clusterroles`,
    body: { metadata: { name: 'probe' } },
  },
  {
    policy: 'hexabase-system-namespaces',
    as: PROBER,
    path: '/api/v1/namespaces/kube-system/configmaps',
    body: { metadata: { name: 'probe' } },
  },
  {
    policy: 'hexabase-managed-objects',
    as: PROBER,
    path: '/api/v1/namespaces',
    body: { metadata: { name: 'probe', labels: { [MANAGED_BY_LABEL]: MANAGED_BY } } },
  },
  {
    policy: 'hexabase-tenant-bindings',
    as: PROBER,
    path: `${RBAC}/namespaces/default/rolebindings`,
    body: {
      metadata: { name: 'probe' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'probe' }],
    },
  },
  {
    policy: 'hexabase-reserved-names',
    as: PROBER,
    path: `${RBAC}/namespaces/default/roles`,
    body: { metadata: { name: 'hexabase:probe' } },
  },
  {
    policy: 'hexabase-host-records',
    as: PROBER,
    path: '/api/v1/namespaces/default/secrets',
    body: { metadata: { name: 'probe', labels: { owner: 'helm', name: 'vcluster' } } },
  },
  {
    policy: 'hexabase-sync-limits',
    as: SYNC_USER,
    path: '/api/v1/namespaces',
    body: { metadata: { name: 'probe' } },
  },
];

/** The names of the policies that a cluster must have. */
export const POLICIES: readonly string[] = PROBES.map((probe) => probe.policy);

/**
 * Waits until every policy refuses its probe.
 *
 * @param client of the bootstrap credential, which may impersonate
 * @throws when one still doesn't after 30 seconds
 */
export const probePolicies = async (client: KubernetesClient): Promise<void> => {
  await bindProber(client);
  try {
    const deadline = Date.now() + DEADLINE_MS;
    for (const probe of PROBES) await untilRefused(client, probe, deadline);
  } finally {
    await removeObject(client, BINDING_PATH);
  }
};

/** The prober holds everything while probing, so that RBAC lets each probe through to the policies. */
const bindProber = async (client: KubernetesClient): Promise<void> => {
  const apiGroup = 'rbac.authorization.k8s.io';
  const binding = {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: PROBER_BINDING },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup, kind: 'User', name: PROBER }],
  };
  await applyObject(client, BINDING_PATH, binding, INSTALLER);
};

const untilRefused = async (
  client: KubernetesClient,
  probe: Probe,
  deadline: number,
): Promise<void> => {
  while (!(await isRefused(client, probe))) {
    if (Date.now() > deadline) throw new Error(`the policy ${probe.policy} is not in force`);
    await delay(50);
  }
};

/** Refused by this policy; a refusal by RBAC, whose cache lags too, says nothing. */
const isRefused = async (client: KubernetesClient, probe: Probe): Promise<boolean> => {
  try {
    await client.request(probe.path, {
      method: 'POST',
      query: { dryRun: 'All' },
      headers: { 'impersonate-user': probe.as },
      body: probe.body,
    });
    return false;
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return error.message.includes(`ValidatingAdmissionPolicy '${probe.policy}'`);
  }
};
