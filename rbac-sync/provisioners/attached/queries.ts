/** Rows of attached_cluster, as rbac-sync reads and writes them. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const AttachedRow = z.strictObject({
  sealed_kubeconfig: z.string(),
  version: z.int(),
  cluster_uid: z.string().nullable(),
  verified_version: z.int().nullable(),
});

/** An attached cluster; `cluster_uid` once it was reached and marked as the workspace's. */
export type AttachedRow = z.infer<typeof AttachedRow>;

/** @param workspaceId UUID */
export const findAttachedCluster = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<AttachedRow | null> =>
  db.maybeOne(sql.prepared('find_attached_cluster', AttachedRow)`
    SELECT sealed_kubeconfig, version, cluster_uid, verified_version
    FROM attached_cluster WHERE workspace_id = ${workspaceId}
  `);

/**
 * Records which cluster a version of the kubeconfig leads to. Without a lease: of two replicas both say what the
 * cluster itself says, which is marked before, and the first one's word stays.
 */
export const saveClusterUid = async (
  db: CommonQueryMethods,
  workspaceId: string,
  { uid, version }: { readonly uid: string; readonly version: number },
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    UPDATE attached_cluster
    SET cluster_uid = ${uid}, verified_version = ${version}, updated_at = now()
    WHERE workspace_id = ${workspaceId} AND coalesce(cluster_uid, ${uid}) = ${uid}
  `);
};
