import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { PolicyRule } from '#domain/policy-rule.ts';
import type { PageRequest } from '../cursor.ts';
import { ProjectRoleRow } from './schema.ts';

const Nothing = z.strictObject({});

const roleColumns = sql.fragment`id, project_id, name, rules, version, created_at`;

/** Where a project role is: in a project of a workspace. */
export type ProjectPlace = { readonly workspaceId: string; readonly projectId: string };

/** The roles of a project, by id. */
export const listProjectRoles = (
  db: CommonQueryMethods,
  { workspaceId, projectId }: ProjectPlace,
  { after, take }: PageRequest,
): Promise<readonly ProjectRoleRow[]> =>
  db.any(sql.type(ProjectRoleRow)`
    SELECT ${roleColumns}
    FROM project_role
    WHERE workspace_id = ${workspaceId} AND project_id = ${projectId}
      AND ${ifGiven(after, (last) => sql.fragment`id > ${last}::uuid`)}
    ORDER BY id
    LIMIT ${take}
  `);

/** A project role of this workspace, whichever project's; null or a foreign id finds nothing. */
export const findProjectRole = (
  db: CommonQueryMethods,
  workspaceId: string,
  roleId: string | null,
): Promise<ProjectRoleRow | null> =>
  db.maybeOne(sql.type(ProjectRoleRow)`
    SELECT ${roleColumns}
    FROM project_role
    WHERE workspace_id = ${workspaceId} AND id = ${roleId}::uuid
  `);

/** A new role; its constraint on names speaks when the name is taken. */
export const insertProjectRole = (
  db: CommonQueryMethods,
  { workspaceId, projectId }: ProjectPlace,
  role: { readonly id: string; readonly name: string; readonly rules: readonly PolicyRule[] },
): Promise<ProjectRoleRow> =>
  db.one(sql.type(ProjectRoleRow)`
    INSERT INTO project_role (id, workspace_id, project_id, name, rules)
    VALUES (${role.id}, ${workspaceId}, ${projectId}, ${role.name}, ${toJson(role.rules)})
    RETURNING ${roleColumns}
  `);

/** Replaces the rules of a role. */
export const updateProjectRole = (
  db: CommonQueryMethods,
  workspaceId: string,
  { id, rules }: { readonly id: string; readonly rules: readonly PolicyRule[] },
): Promise<ProjectRoleRow> =>
  db.one(sql.type(ProjectRoleRow)`
    UPDATE project_role
    SET rules = ${toJson(rules)}, version = version + 1, updated_at = now()
    WHERE workspace_id = ${workspaceId} AND id = ${id}
    RETURNING ${roleColumns}
  `);

/** Deletes a role with its assignments. */
export const deleteProjectRole = async (
  db: CommonQueryMethods,
  workspaceId: string,
  roleId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM project_role
    WHERE workspace_id = ${workspaceId} AND id = ${roleId}
  `);
};

const toJson = (rules: readonly PolicyRule[]) =>
  sql.jsonb(
    rules.map(({ resourceNames, ...rule }) => ({
      ...rule,
      ...(resourceNames && { resourceNames }),
    })),
  );
