/**
 * From a control plane that answers to a connection as our own narrow identity: bootstraps it when it
 * is new or older than our manifests, and keeps the identity's token fresh.
 */
import type { DatabasePool } from 'slonik';
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import type { Encryption } from '#runtime/encryption.ts';
import type { Logger } from '#runtime/log.ts';
import { createKubernetesClient, type KubernetesClient } from '../cluster/kubernetes-client.ts';
import { isUnauthorized, KubernetesError } from '../cluster/kubernetes-error.ts';
import { connectCluster, type WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import type { Finding } from '../drift/findings.ts';
import type { ControlPlane, OnProgress } from '../provisioners/provisioner.ts';
import { type Lease, withLease } from '../queue/leases.ts';
import {
  saveBootstrapVersion,
  saveClusterAddress,
  saveSyncToken,
} from '../workspace/cluster-queries.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import { bootstrapCluster, requestSyncToken, type SyncToken } from './bootstrap.ts';
import { BOOTSTRAP_VERSION } from './manifests.ts';

/** What {@link accessCluster} needs. */
export type AccessDeps = {
  readonly db: DatabasePool;
  readonly encryption: Encryption;
  readonly log: Logger;
  /** Open connections by workspace id; this module opens and replaces them. */
  readonly clusters: Map<string, WorkspaceCluster>;
  readonly onChange: (workspaceId: string) => void;
};

/** What a reconcile is about. */
export type AccessRequest = {
  readonly workspace: Workspace;
  readonly plane: ControlPlane;
  readonly lease: Lease;
  readonly onProgress: OnProgress;
};

/** A connection, and what of the manifests was other than it should be and was put back on the way. */
export type Access = {
  readonly cluster: WorkspaceCluster;
  readonly repaired: readonly Finding[];
  /** When that began. */
  readonly repairedAt?: Date;
};

/** Tokens live an hour; from half of it on the next reconcile asks for another. */
const RENEW_BEFORE_MS = 30 * 60_000;

/**
 * The connection to a workspace's cluster, with policies and presets of this release in force.
 *
 * @throws when the cluster can't be bootstrapped or doesn't take our identity
 */
export const accessCluster = async (deps: AccessDeps, request: AccessRequest): Promise<Access> => {
  const { workspace, plane } = request;
  await recordAddress(deps, request);
  if (workspace.cluster?.bootstrap_version !== BOOTSTRAP_VERSION) return reinstall(deps, request);
  const open = deps.clusters.get(workspace.id);
  if (open && isSamePlane(open, plane)) return keepFresh(deps, request, open);
  try {
    const cluster = await connect(deps, request, openToken(deps, workspace));
    return { cluster, repaired: [] };
  } catch (error) {
    if (!isRejected(error)) throw error;
    // The token has expired while nobody was here, or the cluster is another than it was.
    return reinstall(deps, request);
  }
};

/**
 * Everything of the manifests anew, by the bootstrap credential, and a new connection.
 *
 * @throws when the credential can't be had or a policy does not take effect: the old connection stays then
 */
export const reinstall = async (deps: AccessDeps, request: AccessRequest): Promise<Access> => {
  const repairedAt = new Date();
  const { token, found } = await bootstrap(deps, request);
  const cluster = await connect(deps, request, token);
  // What an upgrade changes is nobody's drift.
  const isUpgrade = request.workspace.cluster?.bootstrap_version !== BOOTSTRAP_VERSION;
  return { cluster, repaired: isUpgrade ? [] : found, repairedAt };
};

const isSamePlane = (cluster: WorkspaceCluster, plane: ControlPlane): boolean => {
  const { server, certificateAuthority, address } = cluster.access();
  return (
    server === plane.server &&
    certificateAuthority === plane.certificateAuthority &&
    address === plane.address
  );
};

/** Whether our identity is refused, or has nothing to show. */
export const isRejected = (error: unknown): boolean =>
  isUnauthorized(error) ||
  error instanceof MissingTokenError ||
  (error instanceof KubernetesError && error.status === 403);

/** We have no token for the cluster, or it has expired: the bootstrap credential gets us another. */
export class MissingTokenError extends Error {
  override readonly name = 'MissingTokenError';
}

const recordAddress = async (deps: AccessDeps, request: AccessRequest): Promise<void> => {
  const { workspace, plane, lease } = request;
  const { server, certificateAuthority } = plane;
  const known = workspace.cluster;
  if (known?.server === server && known.certificate_authority === certificateAuthority) return;
  await withLease(deps.db, lease, (transaction) =>
    saveClusterAddress(transaction, {
      workspaceId: workspace.id,
      server,
      certificateAuthority,
    }),
  );
};

/** Uses the bootstrap credential, for as long as this takes. */
const bootstrap = async (
  deps: AccessDeps,
  request: AccessRequest,
): Promise<{ readonly token: SyncToken; readonly found: readonly Finding[] }> => {
  const { plane, workspace, lease, onProgress } = request;
  const client = createKubernetesClient({
    server: plane.server,
    certificateAuthority: plane.certificateAuthority,
    address: plane.address,
    credential: await plane.bootstrapCredential(),
  });
  try {
    await onProgress(75, 'installing policies and presets');
    const found = await bootstrapCluster(client);
    await onProgress(85, 'making the sync identity');
    const token = await renewToken(deps, request, client);
    await withLease(deps.db, lease, (transaction) =>
      saveBootstrapVersion(transaction, workspace.id, BOOTSTRAP_VERSION),
    );
    return { token, found };
  } finally {
    await client[Symbol.asyncDispose]();
  }
};

const purposeOf = (workspaceId: string): string => `sync-token:${workspaceId}`;

const renewToken = async (
  { db, encryption }: AccessDeps,
  { workspace, lease }: AccessRequest,
  client: KubernetesClient,
): Promise<SyncToken> => {
  const token = await requestSyncToken(client);
  const sealed = encryption.seal(purposeOf(workspace.id), token.token);
  await withLease(db, lease, (transaction) =>
    saveSyncToken(transaction, workspace.id, { sealed, expiresAt: token.expiresAt }),
  );
  return token;
};

/** @throws MissingTokenError when there is none that could still be accepted */
const openToken = (
  { encryption }: Pick<AccessDeps, 'encryption'>,
  { id, cluster }: Workspace,
): SyncToken => {
  const expiresAt = cluster?.token_expires_at;
  if (!cluster?.sealed_token || !expiresAt || expiresAt <= new Date()) {
    throw new MissingTokenError('the sync identity has no valid token');
  }
  const sealed = Buffer.from(cluster.sealed_token, 'base64');
  return { token: encryption.open(purposeOf(id), sealed), expiresAt };
};

/**
 * A client of a cluster that was made before, as our own narrow identity, to where we are connected or
 * else by what is on record: nothing is provisioned, bootstrapped or renewed. `undefined` while there is
 * none to reach.
 *
 * @throws MissingTokenError when there is no token that could still be accepted, or when we may not go
 * where the record says
 */
export const openKnownCluster = (
  deps: Pick<AccessDeps, 'encryption' | 'clusters'>,
  workspace: Workspace,
): KubernetesClient | undefined => {
  const { server, certificate_authority, bootstrap_version } = workspace.cluster ?? {};
  if (!server || !certificate_authority || !bootstrap_version) return undefined;
  const open = deps.clusters.get(workspace.id)?.access();
  // Where the name of a tenant's server leads is judged by its provisioner, each time.
  if (!open && workspace.cluster?.provisioner === ATTACHED_PROVISIONER) {
    throw new MissingTokenError('an attached cluster is reached through its provisioner first');
  }
  const token = open?.token ?? openToken(deps, workspace).token;
  return createKubernetesClient({
    server: open?.server ?? server,
    certificateAuthority: open?.certificateAuthority ?? certificate_authority,
    address: open?.address,
    credential: { token: () => token },
  });
};

const connect = async (
  deps: AccessDeps,
  { workspace, plane }: AccessRequest,
  token: SyncToken,
): Promise<WorkspaceCluster> => {
  const { id } = workspace;
  await deps.clusters.get(id)?.[Symbol.asyncDispose]();
  deps.clusters.delete(id);
  const cluster = await connectCluster({
    access: {
      server: plane.server,
      certificateAuthority: plane.certificateAuthority,
      address: plane.address,
      ...token,
    },
    onChange: () => deps.onChange(id),
    log: deps.log.child({ workspace: id }),
  });
  deps.clusters.set(id, cluster);
  return cluster;
};

const keepFresh = async (
  deps: AccessDeps,
  request: AccessRequest,
  cluster: WorkspaceCluster,
): Promise<Access> => {
  const left = cluster.access().expiresAt.getTime() - Date.now();
  if (left > RENEW_BEFORE_MS) return { cluster, repaired: [] };
  try {
    cluster.renew(await renewToken(deps, request, cluster.client));
    return { cluster, repaired: [] };
  } catch (error) {
    if (!isRejected(error)) throw error;
    return reinstall(deps, request);
  }
};
