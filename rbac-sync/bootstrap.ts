/**
 * Makes a new cluster safe to hand out: admission policies, the presets and our own narrow identity,
 * put there with the bootstrap credential; and proves that every policy is in force before anyone is
 * bound to anything. Idempotent; the same steps upgrade a cluster to newer manifests.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { INSTALLER, SYNC_ACCOUNT } from './identities.ts';
import { applyObject, type KubernetesClient } from './kubernetes-client.ts';
import { type Manifest, readManifests, toManifestPath } from './manifests.ts';
import { probePolicies } from './policy-probes.ts';

const ACCOUNT_PATH = `/api/v1/namespaces/${SYNC_ACCOUNT.namespace}/serviceaccounts/${SYNC_ACCOUNT.name}`;
const TOKEN_SECONDS = 3600;
const LONGEST_TOKEN = 16_384;
const AGGREGATED = ['admin', 'view', 'hexabase:workspace-viewer'];
const AGGREGATION_MS = 60_000;

/**
 * @param client of the bootstrap credential
 * @throws when a policy does not take effect or the presets stay empty: nobody may be bound then
 */
export const bootstrapCluster = async (client: KubernetesClient): Promise<void> => {
  for (const manifest of readManifests()) await applyManifest(client, manifest);
  await probePolicies(client);
  await untilAggregated(client);
};

const applyManifest = async (client: KubernetesClient, manifest: Manifest): Promise<void> => {
  await applyObject(client, toManifestPath(manifest), manifest, INSTALLER);
};

const ClusterRole = z.object({ rules: z.array(z.unknown()).nullish() });

/** kube-controller-manager fills the aggregated roles; bound before, they would give nothing. */
const untilAggregated = async (client: KubernetesClient): Promise<void> => {
  const deadline = Date.now() + AGGREGATION_MS;
  for (const name of AGGREGATED) {
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(name)}`;
    while ((ClusterRole.parse(await client.request(path)).rules ?? []).length === 0) {
      if (Date.now() > deadline) throw new Error(`the ClusterRole ${name} stays empty`);
      await delay(50);
    }
  }
};

/** A token of the sync identity. */
export type SyncToken = { readonly token: string; readonly expiresAt: Date };

const TokenRequest = z.object({
  status: z.object({ token: z.string().max(LONGEST_TOKEN), expirationTimestamp: z.coerce.date() }),
});

/** A new token of the sync identity, for an hour; its own credential is enough to ask for it. */
export const requestSyncToken = async (client: KubernetesClient): Promise<SyncToken> => {
  const { status } = TokenRequest.parse(
    await client.request(`${ACCOUNT_PATH}/token`, {
      method: 'POST',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: TOKEN_SECONDS },
      },
    }),
  );
  return { token: status.token, expiresAt: status.expirationTimestamp };
};
