import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven, isCurrent } from '#database/condition.ts';
import type { PresetRole } from '#domain/presets.ts';
import type { PageRequest } from '../cursor.ts';
import { RoleAssignmentRow } from './schema.ts';

const Nothing = z.strictObject({});
const IdRow = z.strictObject({ id: z.uuid() });

const assignmentColumns = sql.fragment`
  a.id, a.group_id, a.project_id, a.project_role_id, a.preset_role, a.preset, a.expires_at, a.reason,
  a.created_by, p.display_name AS created_by_name, a.version, a.created_at`;

const storedColumns = sql.fragment`
  id, group_id, project_id, project_role_id, preset_role, preset, expires_at, reason, created_by,
  version, created_at`;

/** They were given where they are listed for. */
const notInherited = sql.fragment`NULL::text AS inherited_name, NULL::integer AS inherited_depth`;

const isInForce = isCurrent(sql.fragment`a`);

/** Which role assignments; ids are UUIDs, null for any. */
export type RoleAssignmentFilter = {
  readonly workspaceId: string;
  readonly groupId: string | null;
  readonly projectId: string | null;
  readonly projectRoleId: string | null;
  readonly presetRole: PresetRole | null;
};

const matches = (filter: Omit<RoleAssignmentFilter, 'projectId'>) => sql.fragment`
  a.workspace_id = ${filter.workspaceId} AND ${isInForce}
    AND ${ifGiven(filter.groupId, (group) => sql.fragment`a.group_id = ${group}::uuid`)}
    AND ${ifGiven(filter.projectRoleId, (role) => sql.fragment`a.project_role_id = ${role}::uuid`)}
    AND ${ifGiven(filter.presetRole, (preset) => sql.fragment`a.preset_role = ${preset}::text`)}`;

/** The role assignments of a workspace that have not expired, by id. */
export const listRoleAssignments = (
  db: CommonQueryMethods,
  filter: RoleAssignmentFilter,
  { after, take }: PageRequest,
): Promise<readonly RoleAssignmentRow[]> =>
  db.any(sql.type(RoleAssignmentRow)`
    SELECT ${assignmentColumns}, ${notInherited}
    FROM role_assignment a LEFT JOIN person p ON p.id = a.created_by
    WHERE ${matches(filter)}
      AND ${ifGiven(filter.projectId, (project) => sql.fragment`a.project_id = ${project}::uuid`)}
      AND ${ifGiven(after, (last) => sql.fragment`a.id > ${last}::uuid`)}
    ORDER BY a.id
    LIMIT ${take}
  `);

/** Those that hold in a project because they were given in one above it, by id; safe on a cycle. */
export const listInheritedAssignments = (
  db: CommonQueryMethods,
  filter: RoleAssignmentFilter & { readonly projectId: string },
  { after, take }: PageRequest,
): Promise<readonly RoleAssignmentRow[]> =>
  db.any(sql.type(RoleAssignmentRow)`
    WITH RECURSIVE lineage AS (
      SELECT id, parent_id, name, 0 AS depth
      FROM project
      WHERE workspace_id = ${filter.workspaceId} AND id = ${filter.projectId}
      UNION ALL
      SELECT j.id, j.parent_id, j.name, l.depth + 1
      FROM lineage l JOIN project j ON j.workspace_id = ${filter.workspaceId} AND j.id = l.parent_id
    ) CYCLE id SET is_cycle USING path
    SELECT ${assignmentColumns}, l.name AS inherited_name, l.depth AS inherited_depth
    FROM lineage l
    JOIN role_assignment a ON a.project_id = l.id
    LEFT JOIN person p ON p.id = a.created_by
    WHERE l.depth > 0 AND NOT l.is_cycle AND ${matches(filter)}
      AND ${ifGiven(after, (last) => sql.fragment`a.id > ${last}::uuid`)}
    ORDER BY a.id
    LIMIT ${take}
  `);

/** Those that were given in any of these projects and have not expired, by id. */
export const listAssignmentsIn = (
  db: CommonQueryMethods,
  workspaceId: string,
  { projectIds, take }: { readonly projectIds: readonly string[]; readonly take: number },
): Promise<readonly RoleAssignmentRow[]> =>
  db.any(sql.type(RoleAssignmentRow)`
    SELECT ${assignmentColumns}, ${notInherited}
    FROM role_assignment a LEFT JOIN person p ON p.id = a.created_by
    WHERE a.workspace_id = ${workspaceId} AND ${isInForce}
      AND a.project_id = ANY (${sql.array([...projectIds], 'uuid')})
    ORDER BY a.id
    LIMIT ${take}
  `);

/** A role assignment of this workspace; one that has expired is not found. */
export const findRoleAssignment = (
  db: CommonQueryMethods,
  workspaceId: string,
  assignmentId: string,
): Promise<RoleAssignmentRow | null> =>
  db.maybeOne(sql.type(RoleAssignmentRow)`
    SELECT ${assignmentColumns}, ${notInherited}
    FROM role_assignment a LEFT JOIN person p ON p.id = a.created_by
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${assignmentId} AND ${isInForce}
  `);

/** What an assignment gives to whom, and where. Ids are UUIDs. */
export type GrantKey = {
  readonly workspaceId: string;
  readonly groupId: string;
  readonly projectId: string | null;
  readonly projectRoleId: string | null;
  readonly presetRole: PresetRole | null;
};

/** A role assignment to insert. */
export type NewRoleAssignment = GrantKey & {
  readonly id: string;
  readonly preset: boolean;
  readonly expiresAt?: Date | null;
  readonly reason?: string | null;
  /** Who gives it (UUID); nobody: the platform. */
  readonly createdBy?: string | null;
};

/** A new role assignment; its constraint on grants speaks when the group has the role already. */
export const insertRoleAssignment = (
  db: CommonQueryMethods,
  { expiresAt = null, reason = null, createdBy = null, ...assignment }: NewRoleAssignment,
): Promise<RoleAssignmentRow> =>
  db.one(sql.type(RoleAssignmentRow)`
    WITH a AS (
      INSERT INTO role_assignment (
        id, workspace_id, group_id, project_id, project_role_id, preset_role, preset, expires_at,
        reason, created_by
      ) VALUES (
        ${assignment.id}, ${assignment.workspaceId}, ${assignment.groupId}, ${assignment.projectId},
        ${assignment.projectRoleId}, ${assignment.presetRole}, ${assignment.preset},
        ${toTimestamp(expiresAt)}, ${reason}, ${createdBy}
      )
      RETURNING ${storedColumns}
    )
    SELECT ${assignmentColumns}, ${notInherited}
    FROM a LEFT JOIN person p ON p.id = a.created_by
  `);

/** Changes until when an assignment holds and what it is said to be for. */
export const updateRoleAssignment = (
  db: CommonQueryMethods,
  workspaceId: string,
  change: { readonly id: string; readonly expiresAt: Date | null; readonly reason: string | null },
): Promise<RoleAssignmentRow> =>
  db.one(sql.type(RoleAssignmentRow)`
    WITH a AS (
      UPDATE role_assignment
      SET expires_at = ${toTimestamp(change.expiresAt)}, reason = ${change.reason},
        version = version + 1, updated_at = now()
      WHERE workspace_id = ${workspaceId} AND id = ${change.id}
      RETURNING ${storedColumns}
    )
    SELECT ${assignmentColumns}, ${notInherited}
    FROM a LEFT JOIN person p ON p.id = a.created_by
  `);

const toTimestamp = (date: Date | null) => (date === null ? null : sql.timestamp(date));

/** Deletes a role assignment. */
export const deleteRoleAssignment = async (
  db: CommonQueryMethods,
  workspaceId: string,
  assignmentId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM role_assignment
    WHERE workspace_id = ${workspaceId} AND id = ${assignmentId}
  `);
};

/** Deletes this very grant if it has expired, and says which one it was (UUID). */
export const deleteExpiredGrant = (
  db: CommonQueryMethods,
  grant: GrantKey,
): Promise<string | null> =>
  db.maybeOneFirst(sql.type(IdRow)`
    DELETE FROM role_assignment
    WHERE workspace_id = ${grant.workspaceId} AND group_id = ${grant.groupId}
      AND project_id IS NOT DISTINCT FROM ${grant.projectId}::uuid
      AND project_role_id IS NOT DISTINCT FROM ${grant.projectRoleId}::uuid
      AND preset_role IS NOT DISTINCT FROM ${grant.presetRole}::text
      AND expires_at <= now()
    RETURNING id
  `);
