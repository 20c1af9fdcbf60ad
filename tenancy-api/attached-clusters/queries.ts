import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const Nothing = z.strictObject({});

/** A sealed kubeconfig of a workspace (UUID). */
export type SealedKubeconfig = { readonly workspaceId: string; readonly sealed: string };

/** Gives a new workspace its kubeconfig. */
export const insertAttachedCluster = async (
  db: CommonQueryMethods,
  { workspaceId, sealed }: SealedKubeconfig,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO attached_cluster (workspace_id, sealed_kubeconfig) VALUES (${workspaceId}, ${sealed})
  `);
};

/** Replaces the kubeconfig of a workspace; answers whether it has an attached cluster at all. */
export const replaceKubeconfig = async (
  db: CommonQueryMethods,
  { workspaceId, sealed }: SealedKubeconfig,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    UPDATE attached_cluster
    SET sealed_kubeconfig = ${sealed}, version = version + 1, updated_at = now()
    WHERE workspace_id = ${workspaceId}
  `);
  return rowCount > 0;
};
