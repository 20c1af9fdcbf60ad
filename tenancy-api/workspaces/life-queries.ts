import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import { ResourceQuotaHard } from '#domain/plan.ts';

const Nothing = z.strictObject({});

/** Marks a workspace as suspended from now on. */
export const suspendWorkspaceRow = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace
    SET suspended_at = now(), version = version + 1, updated_at = now()
    WHERE id = ${workspaceId}
  `);
};

/** Takes a suspension back. */
export const resumeWorkspaceRow = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace
    SET suspended_at = NULL, version = version + 1, updated_at = now()
    WHERE id = ${workspaceId}
  `);
};

/** Has a workspace deleted after some days. */
export const scheduleDeletion = async (
  db: CommonQueryMethods,
  workspaceId: string,
  days: number,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace
    SET delete_after = now() + make_interval(days => ${days}), version = version + 1,
      updated_at = now()
    WHERE id = ${workspaceId}
  `);
};

/**
 * Takes a deletion back unless its time has come, by the clock and not by the transaction's start:
 * rbac-sync looks under the same lock whether it may begin. Answers whether it was in time.
 */
export const cancelDeletion = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    UPDATE workspace
    SET delete_after = NULL, version = version + 1, updated_at = now()
    WHERE id = ${workspaceId} AND delete_after > clock_timestamp()
  `);
  return rowCount === 1;
};

/** Gives a workspace another plan. */
export const updatePlan = async (
  db: CommonQueryMethods,
  workspaceId: string,
  planId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace
    SET plan_id = ${planId}, version = version + 1, updated_at = now()
    WHERE id = ${workspaceId}
  `);
};

const ProjectRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  quota: ResourceQuotaHard.nullable(),
});

/** A workspace's projects as its plan concerns them, also for organization users who aren't members. */
export const listPlannedProjects = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly z.infer<typeof ProjectRow>[]> =>
  db.any(sql.type(ProjectRow)`
    SELECT id, name, quota FROM workspace_projects(${workspaceId}) ORDER BY name
  `);

const SizeRow = z.strictObject({
  members: z.int(),
  groups: z.int(),
  service_accounts: z.int(),
  /** Has a control plane that was made for it. */
  cluster: z.boolean(),
});

/** How much there is in a workspace, for users of its organization. */
export const getWorkspaceSize = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<z.infer<typeof SizeRow>> =>
  db.one(sql.type(SizeRow)`
    SELECT s.members, s.groups, s.service_accounts,
      s.provisioned AND w.provisioner IS DISTINCT FROM ${ATTACHED_PROVISIONER} AS cluster
    FROM workspace w
    CROSS JOIN LATERAL workspace_size(w.id) s
    WHERE w.id = ${workspaceId}
  `);
