/**
 * Clusters that exist already, by a kubeconfig that a tenant gave. Nothing is started or stopped here: the
 * cluster is looked at, recognized, and marked as the workspace's; how it trusts the issuer is its owner's to
 * configure and ours to see. The kubeconfig is used for that, to install and upgrade policies and presets,
 * and to take them away; everything else is done as our own narrow identity in the cluster.
 */
import type { CommonQueryMethods } from 'slonik';
import {
  ATTACHED_PROVISIONER,
  type AttachedKubeconfig,
  parseAttachedKubeconfig,
} from '#domain/attached-kubeconfig.ts';
import { formatId } from '#domain/identifiers.ts';
import type { AddressPolicy } from '#runtime/addresses.ts';
import {
  type Credential,
  createKubernetesClient,
  type KubernetesClient,
} from '../../cluster/kubernetes-client.ts';
import { isUnauthorized } from '../../cluster/kubernetes-error.ts';
import { type ControlPlane, type Provisioner, ProvisioningError } from '../provisioner.ts';
import { resolveServer } from './addresses.ts';
import { removeBindings, removeEverything } from './detach.ts';
import { explain } from './explain.ts';
import { claimCluster, readClusterUid, readOwner } from './ownership.ts';
import { type AttachedRow, findAttachedCluster, saveClusterUid } from './queries.ts';
import { INSTALLER_CREDENTIAL, listMissingRights } from './rights.ts';

/** What {@link createAttachedProvisioner} needs. */
export type AttachedProvisionerOptions = {
  readonly db: CommonQueryMethods;
  /** Opens a workspace's sealed kubeconfig; throws when it is sealed to another key. */
  readonly open: (workspaceId: string, sealed: string) => Promise<string>;
  readonly isAllowed: AddressPolicy;
};

const FRESH_MS = 60_000;

/** A plane, as it was found not long ago. */
type Known = { readonly at: number; readonly version: number; readonly plane: ControlPlane };

/** Connects to nothing by itself. */
export const createAttachedProvisioner = (options: AttachedProvisionerOptions): Provisioner => {
  const known = new Map<string, Known>();
  return {
    name: ATTACHED_PROVISIONER,
    ensure: async ({ workspaceId }, { onProgress }) => {
      const row = await getRow(options, workspaceId);
      const last = known.get(workspaceId);
      if (last?.version === row.version && Date.now() - last.at < FRESH_MS) return last.plane;
      await onProgress(20, 'looking at the attached cluster');
      const plane = await recognize(options, workspaceId, row).catch((error: unknown) => {
        throw error instanceof ProvisioningError ? toGoingOn(error) : error;
      });
      known.set(workspaceId, { at: Date.now(), version: row.version, plane });
      return plane;
    },
    suspend: async (workspaceId) => {
      known.delete(workspaceId);
      await withOwnCluster(options, workspaceId, removeBindings);
    },
    remove: async (workspaceId) => {
      known.delete(workspaceId);
      await withOwnCluster(options, workspaceId, removeEverything);
    },
    [Symbol.asyncDispose]: async () => known.clear(),
  };
};

/** Whatever is wrong with a kubeconfig, the cluster that the one before it led to goes on. */
const toGoingOn = ({ reason, message, cause }: ProvisioningError): ProvisioningError =>
  new ProvisioningError(reason, message, { cause, goesOn: true });

const getRow = async (
  { db }: AttachedProvisionerOptions,
  workspaceId: string,
): Promise<AttachedRow> => {
  const row = await findAttachedCluster(db, workspaceId);
  if (row) return row;
  throw new ProvisioningError(
    'KubeconfigMissing',
    'The workspace is to have an attached cluster, and there is no kubeconfig of one. Put it at PUT /v1/workspaces/{workspace}/attached-cluster.',
  );
};

const readKubeconfig = async (
  { open }: AttachedProvisionerOptions,
  workspaceId: string,
  row: AttachedRow,
): Promise<AttachedKubeconfig> => {
  try {
    return parseAttachedKubeconfig(await open(workspaceId, row.sealed_kubeconfig));
  } catch (error) {
    throw new ProvisioningError(
      'KubeconfigUnreadable',
      'The kubeconfig can’t be opened any more: it was sealed to another key. Put it once more at PUT /v1/workspaces/{workspace}/attached-cluster.',
      { cause: error },
    );
  }
};

/** A way to the cluster, to an address that was judged. */
type Way = {
  readonly kubeconfig: AttachedKubeconfig;
  readonly address: string;
  readonly connect: (credential: Credential) => KubernetesClient;
};

const findWay = async (
  options: AttachedProvisionerOptions,
  workspaceId: string,
  row: AttachedRow,
): Promise<Way> => {
  const kubeconfig = await readKubeconfig(options, workspaceId, row);
  const { server, certificateAuthority } = kubeconfig;
  const address = await resolveServer(server, options.isAllowed);
  const connect = (credential: Credential) =>
    createKubernetesClient({ server, certificateAuthority, address, credential, connections: 4 });
  return { kubeconfig, address, connect };
};

const toCredential = ({ credential }: AttachedKubeconfig): Credential =>
  'token' in credential ? { token: () => credential.token } : credential;

const toInstaller = (kubeconfig: AttachedKubeconfig): Credential => ({
  ...toCredential(kubeconfig),
  impersonate: INSTALLER_CREDENTIAL,
});

const toPlane = ({ kubeconfig, address }: Way): ControlPlane => ({
  server: kubeconfig.server,
  certificateAuthority: kubeconfig.certificateAuthority,
  address,
  bootstrapCredential: async () => toInstaller(kubeconfig),
});

/** Sees that it is the cluster it was, and the first time that it can be made safe and is nobody's. */
const recognize = async (
  options: AttachedProvisionerOptions,
  workspaceId: string,
  row: AttachedRow,
): Promise<ControlPlane> => {
  const way = await findWay(options, workspaceId, row);
  await using client = way.connect(toCredential(way.kubeconfig));
  try {
    const uid = await readClusterUid(client);
    refuseOther(row, uid);
    if (row.verified_version !== row.version) {
      await refuseWeak(client);
      await using installer = way.connect(toInstaller(way.kubeconfig));
      await claimCluster(installer, workspaceId);
      await saveClusterUid(options.db, workspaceId, { uid, version: row.version });
    }
    return toPlane(way);
  } catch (error) {
    const isKnown = row.verified_version === row.version;
    // What this very kubeconfig led to before is kept in order by our own identity there.
    if (isKnown && isUnauthorized(error)) return toPlaneWithout(way, explain(error));
    throw explain(error);
  }
};

/** A plane on which nothing can be installed, for now. */
const toPlaneWithout = (way: Way, reason: unknown): ControlPlane => ({
  ...toPlane(way),
  notes: [
    'The credential of the kubeconfig is no longer accepted (401). Rights are kept in order as before, but nothing can be upgraded: put a new kubeconfig at PUT /v1/workspaces/{workspace}/attached-cluster.',
  ],
  bootstrapCredential: () => Promise.reject(reason),
});

const refuseOther = (row: AttachedRow, uid: string): void => {
  if (row.cluster_uid === null || row.cluster_uid === uid) return;
  throw new ProvisioningError(
    'OtherCluster',
    'The kubeconfig leads to another cluster than before (the uid of the namespace kube-system differs), and nothing was written there. Put a kubeconfig of the first cluster back, or make a new workspace for this one.',
  );
};

const refuseWeak = async (client: KubernetesClient): Promise<void> => {
  const missing = await listMissingRights(client);
  if (missing.length === 0) return;
  throw new ProvisioningError(
    'MissingRights',
    `The credential of the kubeconfig lacks rights: ${missing.join(', ')}. It needs those of cluster-admin, once to install policies and presets and again to upgrade them.`,
  );
};

/** Does something in the cluster if it was ever ours and is still; otherwise there is nothing to do. */
const withOwnCluster = async (
  options: AttachedProvisionerOptions,
  workspaceId: string,
  work: (client: KubernetesClient) => Promise<void>,
): Promise<void> => {
  const row = await findAttachedCluster(options.db, workspaceId);
  if (!row) return;
  try {
    const way = await findWay(options, workspaceId, row);
    await using client = way.connect(toInstaller(way.kubeconfig));
    refuseOther(row, await readClusterUid(client));
    if ((await readOwner(client)) === formatId('workspace', workspaceId)) await work(client);
  } catch (error) {
    // Of a cluster that never was recognized nothing can be owed: at most our mark was left there.
    if (row.cluster_uid !== null) throw explain(error);
  }
};
