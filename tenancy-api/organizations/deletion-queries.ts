import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import { OwnedWorkspaceRow } from './deletion-schema.ts';

const Nothing = z.strictObject({});

/** The workspaces of an organization, each with what goes with it; for users of the organization. */
export const listOwnedWorkspaces = (
  db: CommonQueryMethods,
  organizationId: string,
): Promise<readonly OwnedWorkspaceRow[]> =>
  db.any(sql.type(OwnedWorkspaceRow)`
    SELECT w.id, w.slug, w.name,
      jsonb_build_object(
        'projects', ARRAY(SELECT p.name FROM workspace_projects(w.id) p ORDER BY p.name),
        'groups', s.groups, 'members', s.members, 'service_accounts', s.service_accounts,
        'cluster', s.provisioned AND w.provisioner IS DISTINCT FROM ${ATTACHED_PROVISIONER}
      ) AS contents
    FROM workspace w
    CROSS JOIN LATERAL workspace_size(w.id) s
    WHERE w.organization_id = ${organizationId}
    ORDER BY w.id
  `);

/** How many users an organization has. */
export const countUsers = (db: CommonQueryMethods, organizationId: string): Promise<number> =>
  db.oneFirst(sql.type(z.strictObject({ count: z.int() }))`
    SELECT count(*)::int AS count
    FROM organization_user
    WHERE organization_id = ${organizationId}
  `);

/** Has an organization deleted after some days. */
export const scheduleDeletion = async (
  db: CommonQueryMethods,
  organizationId: string,
  days: number,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE organization
    SET delete_after = now() + make_interval(days => ${days}), version = version + 1,
      updated_at = now()
    WHERE id = ${organizationId}
  `);
};

/**
 * Locks the workspaces of an organization, so that those are found to be going that still are: one may
 * just be restored.
 */
export const lockWorkspaces = async (
  db: CommonQueryMethods,
  organizationId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({ id: z.uuid() }))`
    SELECT id
    FROM workspace
    WHERE organization_id = ${organizationId}
    ORDER BY id
    FOR UPDATE
  `);
};

const ScheduledRow = z.strictObject({ id: z.uuid(), suspended: z.boolean() });
/** A workspace that was scheduled together with its organization, or that stays with it. */
export type ScheduledRow = z.infer<typeof ScheduledRow>;

/** Has the workspaces of an organization go with it, but for those that were going already. */
export const scheduleWorkspaces = (
  db: CommonQueryMethods,
  organizationId: string,
): Promise<readonly ScheduledRow[]> =>
  db.any(sql.type(ScheduledRow)`
    UPDATE workspace w
    SET delete_after = o.delete_after, version = w.version + 1, updated_at = now()
    FROM organization o
    WHERE o.id = ${organizationId} AND w.organization_id = o.id AND w.delete_after IS NULL
    RETURNING w.id, w.suspended_at IS NOT NULL AS suspended
  `);

/** Takes back the deletion of those workspaces that were scheduled together with their organization. */
export const restoreWorkspaces = (
  db: CommonQueryMethods,
  organizationId: string,
): Promise<readonly ScheduledRow[]> =>
  db.any(sql.type(ScheduledRow)`
    UPDATE workspace w
    SET delete_after = NULL, version = w.version + 1, updated_at = now()
    FROM organization o
    WHERE o.id = ${organizationId} AND w.organization_id = o.id AND w.delete_after = o.delete_after
    RETURNING w.id, w.suspended_at IS NOT NULL AS suspended
  `);

/**
 * Takes a deletion back unless its time has come, by the clock and not by the transaction's start:
 * rbac-sync looks under the same lock whether it may begin. Answers whether it was in time.
 */
export const cancelDeletion = async (
  db: CommonQueryMethods,
  organizationId: string,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    UPDATE organization
    SET delete_after = NULL, version = version + 1, updated_at = now()
    WHERE id = ${organizationId} AND delete_after > clock_timestamp()
  `);
  return rowCount === 1;
};
