/** The end of workspaces, organizations and of what was given for a time, in the database. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { DIRECT_MEMBERSHIPS, type MemberKind } from '#database/effective-groups.ts';
import { LIFECYCLE_TASKS } from '#domain/lifecycle.ts';
import { PRESET_ROLES } from '#domain/presets.ts';
import { IDEMPOTENCY_HOURS } from '#domain/retention.ts';

const IdRow = z.strictObject({ id: z.uuid() });

/** Locks the organization of a workspace before the workspace, as who restores either does. */
export const lockOrganizationOf = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({ id: z.uuid() }))`
    SELECT id FROM organization
    WHERE id = (SELECT organization_id FROM workspace WHERE id = ${workspaceId})
    FOR SHARE
  `);
};

/**
 * Whether a workspace's grace period is over, asked under its lock and its organization's: whoever
 * restores either does so before, or finds that it is too late.
 */
export const lockIfOver = async (db: CommonQueryMethods, workspaceId: string): Promise<boolean> => {
  const row = await db.maybeOne(sql.type(IdRow)`
    SELECT w.id
    FROM workspace w
    JOIN organization o ON o.id = w.organization_id
    WHERE w.id = ${workspaceId} AND least(w.delete_after, o.delete_after) <= now()
    FOR UPDATE OF w
  `);
  return row !== null;
};

const GoneRow = z.strictObject({
  id: z.uuid(),
  organization_id: z.uuid(),
  slug: z.string(),
  name: z.string(),
});

/** Deletes a workspace whose grace period is over, with everything in it. */
export const deleteWorkspace = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<z.infer<typeof GoneRow> | null> =>
  db.maybeOne(sql.type(GoneRow)`
    DELETE FROM workspace w
    USING organization o
    WHERE w.id = ${workspaceId} AND o.id = w.organization_id
      AND least(w.delete_after, o.delete_after) <= now()
    RETURNING w.id, w.organization_id, w.slug, w.name
  `);

const OrganizationRow = z.strictObject({ id: z.uuid(), slug: z.string(), name: z.string() });

/** Deletes organizations whose grace period is over and that have no workspace left. */
export const deleteEmptyOrganizations = (
  db: CommonQueryMethods,
): Promise<readonly z.infer<typeof OrganizationRow>[]> =>
  db.any(sql.type(OrganizationRow)`
    DELETE FROM organization
    WHERE id IN (
      SELECT o.id
      FROM organization o
      WHERE o.delete_after <= now()
        AND NOT EXISTS (SELECT FROM workspace w WHERE w.organization_id = o.id)
      LIMIT 20
      FOR UPDATE SKIP LOCKED
    )
    RETURNING id, slug, name
  `);

const ExpiringRow = z.strictObject({ workspace_id: z.uuid() });

/** Workspaces (UUIDs) in which something has expired. */
export const listWorkspacesWithExpired = (
  db: CommonQueryMethods,
  limit: number,
): Promise<readonly string[]> =>
  db.anyFirst(sql.prepared('list_workspaces_with_expired', ExpiringRow)`
    SELECT workspace_id FROM role_assignment WHERE expires_at <= now()
    UNION
    SELECT workspace_id FROM group_member WHERE expires_at <= now()
    UNION
    SELECT workspace_id FROM group_service_account WHERE expires_at <= now()
    LIMIT ${limit}
  `);

/**
 * Locks a workspace before what is in it, in the order in which everybody does; answers its
 * organization (UUID), or nothing when it is gone.
 */
export const lockWorkspace = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<string | null> =>
  db.maybeOneFirst(sql.type(z.strictObject({ organization_id: z.uuid() }))`
    SELECT organization_id FROM workspace WHERE id = ${workspaceId} FOR NO KEY UPDATE
  `);

const AssignmentRow = z.strictObject({
  id: z.uuid(),
  group_id: z.uuid(),
  project_id: z.uuid().nullable(),
  project_role_id: z.uuid().nullable(),
  preset_role: z.enum(PRESET_ROLES).nullable(),
  expires_at: z.string(),
});

/** Deletes the role assignments of a workspace that have expired. */
export const deleteExpiredAssignments = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly z.infer<typeof AssignmentRow>[]> =>
  db.any(sql.type(AssignmentRow)`
    DELETE FROM role_assignment
    WHERE workspace_id = ${workspaceId} AND expires_at <= now()
    RETURNING id, group_id, project_id, project_role_id, preset_role,
      to_json(expires_at) #>> '{}' AS expires_at
  `);

const MembershipRow = z.strictObject({
  group_id: z.uuid(),
  member_id: z.uuid(),
  expires_at: z.string(),
});

/** Deletes the memberships of a workspace's groups that have expired. */
export const deleteExpiredMemberships = (
  db: CommonQueryMethods,
  workspaceId: string,
  kind: MemberKind,
): Promise<readonly z.infer<typeof MembershipRow>[]> => {
  const { table, member } = DIRECT_MEMBERSHIPS[kind];
  return db.any(sql.type(MembershipRow)`
    DELETE FROM ${table}
    WHERE workspace_id = ${workspaceId} AND expires_at <= now()
    RETURNING group_id, ${member} AS member_id, to_json(expires_at) #>> '{}' AS expires_at
  `);
};

const Nothing = z.strictObject({});

/** Forgets the answers to repeatable requests that nobody repeats any more. */
export const deleteOldIdempotencyKeys = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.prepared('delete_old_idempotency_keys', Nothing)`
    DELETE FROM idempotency_key WHERE created_at <= now() - make_interval(hours => ${IDEMPOTENCY_HOURS})
  `);
};

/**
 * Calls off the tasks that wait for something to be seen in a cluster that is being stopped: their
 * change is recorded and takes effect when the workspace is resumed. The tasks of the workspace's own
 * life are not among them.
 */
export const cancelClusterTasks = async (
  db: CommonQueryMethods,
  { workspaceId, generation }: { readonly workspaceId: string; readonly generation: number },
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE task
    SET state = 'cancelled', step = NULL, updated_at = now(), finished_at = now(),
      error = 'The workspace was suspended or deleted before; the change takes effect when it is resumed or restored.'
    WHERE workspace_id = ${workspaceId} AND finished_at IS NULL AND generation <= ${generation}
      AND kind <> ALL (${sql.array(LIFECYCLE_TASKS, 'text')})
  `);
};
