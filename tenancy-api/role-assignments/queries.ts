import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import type { PresetRole } from '#domain/presets.ts';
import type { PageRequest } from '../cursor.ts';
import { RoleAssignmentRow } from './schema.ts';

const assignmentColumns = sql.fragment`
  id, group_id, project_id, project_role_id, preset_role, preset, created_at`;

/** Which role assignments; ids are UUIDs, null for any. */
export type RoleAssignmentFilter = {
  readonly workspaceId: string;
  readonly groupId: string | null;
  readonly projectId: string | null;
};

/** The role assignments of a workspace, by id. */
export const listRoleAssignments = (
  db: CommonQueryMethods,
  { workspaceId, groupId, projectId }: RoleAssignmentFilter,
  { after, take }: PageRequest,
): Promise<readonly RoleAssignmentRow[]> =>
  db.any(sql.type(RoleAssignmentRow)`
    SELECT ${assignmentColumns}
    FROM role_assignment
    WHERE workspace_id = ${workspaceId}
      AND (${groupId}::uuid IS NULL OR group_id = ${groupId}::uuid)
      AND (${projectId}::uuid IS NULL OR project_id = ${projectId}::uuid)
      AND (${after}::uuid IS NULL OR id > ${after}::uuid)
    ORDER BY id
    LIMIT ${take}
  `);

/** A role assignment of this workspace. */
export const findRoleAssignment = (
  db: CommonQueryMethods,
  workspaceId: string,
  assignmentId: string,
): Promise<RoleAssignmentRow | null> =>
  db.maybeOne(sql.type(RoleAssignmentRow)`
    SELECT ${assignmentColumns}
    FROM role_assignment
    WHERE workspace_id = ${workspaceId} AND id = ${assignmentId}
  `);

/** A role assignment to insert. */
export type NewRoleAssignment = {
  readonly id: string;
  readonly workspaceId: string;
  readonly groupId: string;
  readonly projectId: string | null;
  readonly projectRoleId: string | null;
  readonly presetRole: PresetRole | null;
  readonly preset: boolean;
};

/** A new role assignment; its constraint on grants speaks when the group has the role already. */
export const insertRoleAssignment = (
  db: CommonQueryMethods,
  assignment: NewRoleAssignment,
): Promise<RoleAssignmentRow> =>
  db.one(sql.type(RoleAssignmentRow)`
    INSERT INTO role_assignment (
      id, workspace_id, group_id, project_id, project_role_id, preset_role, preset
    ) VALUES (
      ${assignment.id}, ${assignment.workspaceId}, ${assignment.groupId}, ${assignment.projectId},
      ${assignment.projectRoleId}, ${assignment.presetRole}, ${assignment.preset}
    )
    RETURNING ${assignmentColumns}
  `);

/** Deletes a role assignment. */
export const deleteRoleAssignment = async (
  db: CommonQueryMethods,
  workspaceId: string,
  assignmentId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    DELETE FROM role_assignment
    WHERE workspace_id = ${workspaceId} AND id = ${assignmentId}
  `);
};
