/** What is on record of a workspace's cluster: what made it, where it is, and our way in. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const Nothing = z.strictObject({});

/** Where a workspace's cluster is. */
export type ClusterAddress = {
  readonly workspaceId: string;
  readonly server: string;
  readonly certificateAuthority: string;
};

/** Records what a workspace's control plane is made by, before it is made; for good. */
export const saveProvisioner = async (
  db: CommonQueryMethods,
  workspaceId: string,
  provisioner: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO workspace_cluster (workspace_id, provisioner)
    VALUES (${workspaceId}, ${provisioner})
    ON CONFLICT (workspace_id) DO NOTHING
  `);
};

/** Records where a workspace's cluster is. */
export const saveClusterAddress = async (
  db: CommonQueryMethods,
  address: ClusterAddress,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace_cluster
    SET server = ${address.server}, certificate_authority = ${address.certificateAuthority},
      updated_at = now()
    WHERE workspace_id = ${address.workspaceId}
  `);
};

/** Records the sync identity's token. @param token sealed */
export const saveSyncToken = async (
  db: CommonQueryMethods,
  workspaceId: string,
  token: { readonly sealed: Buffer; readonly expiresAt: Date },
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace_cluster
    SET sealed_token = decode(${token.sealed.toString('base64')}, 'base64'),
      token_expires_at = ${sql.timestamp(token.expiresAt)}, updated_at = now()
    WHERE workspace_id = ${workspaceId}
  `);
};

/** Records which manifests a cluster has. */
export const saveBootstrapVersion = async (
  db: CommonQueryMethods,
  workspaceId: string,
  version: number,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace_cluster SET bootstrap_version = ${version}, updated_at = now()
    WHERE workspace_id = ${workspaceId}
  `);
};
