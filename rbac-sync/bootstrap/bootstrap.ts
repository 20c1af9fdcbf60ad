/**
 * Makes a new cluster safe to hand out: admission policies, the presets and our own narrow identity,
 * put there with the bootstrap credential; and proves that every policy is in force before anyone is
 * bound to anything. Idempotent; the same steps upgrade a cluster to newer manifests.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { INSTALLER, SYNC_ACCOUNT } from '../cluster/identities.ts';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import { isInvalid } from '../cluster/kubernetes-error.ts';
import { applyObject, findObject } from '../cluster/object-requests.ts';
import { ObservedObject } from '../cluster/object-store.ts';
import type { Finding } from '../drift/findings.ts';
import { findManifestDrift, listCorrections } from '../drift/manifest-drift.ts';
import { type Manifest, readManifests, toManifestPath } from './manifests.ts';
import { probePolicies } from './policy-probes.ts';

const ACCOUNT_PATH = `/api/v1/namespaces/${SYNC_ACCOUNT.namespace}/serviceaccounts/${SYNC_ACCOUNT.name}`;
const TOKEN_SECONDS = 3600;
const LONGEST_TOKEN = 16_384;
const AGGREGATED = ['admin', 'view', 'hexabase:workspace-viewer'];
const AGGREGATION_MS = 60_000;

/**
 * @param client of the bootstrap credential
 * @returns what was there and other than it should be, or not there; nothing of a cluster that had nothing yet
 * @throws when a policy does not take effect or the presets stay empty: nobody may be bound then
 */
export const bootstrapCluster = async (client: KubernetesClient): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  let isNew = true;
  for (const manifest of readManifests()) {
    const answer = await findObject(client, toManifestPath(manifest));
    const found = ObservedObject.optional().parse(answer);
    // The namespace is where an attached cluster is marked as ours, before anything is installed.
    if (found && manifest.kind !== 'Namespace') isNew = false;
    const finding = findManifestDrift(manifest, found);
    if (finding) findings.push(finding);
    await installManifest(client, manifest);
  }
  await probePolicies(client);
  await untilAggregated(client);
  return isNew ? [] : findings;
};

/**
 * An apply leaves what others have added beside our fields, such as a match condition that turns a policy
 * off; and the role of a binding can't be changed at all.
 */
const installManifest = async (client: KubernetesClient, manifest: Manifest): Promise<void> => {
  const path = toManifestPath(manifest);
  const apply = () => applyObject(client, path, manifest, INSTALLER);
  const applied = await apply().catch(async (error: unknown) => {
    if (!isInvalid(error)) throw error;
    await client.request(path, { method: 'DELETE' });
    return apply();
  });
  const corrections = listCorrections(manifest, ObservedObject.parse(applied));
  if (corrections.length === 0) return;
  await client.request(path, {
    method: 'PATCH',
    query: { fieldManager: INSTALLER },
    contentType: 'application/json-patch+json',
    body: corrections,
  });
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
