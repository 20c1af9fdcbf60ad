import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import type { ResourceQuotaHard } from '#domain/plan.ts';
import type { PageRequest } from '../cursor.ts';
import { ProjectRow } from './schema.ts';

/** The projects of a workspace, by id. */
export const listProjects = (
  db: CommonQueryMethods,
  workspaceId: string,
  { after, take }: PageRequest,
): Promise<readonly ProjectRow[]> =>
  db.any(sql.type(ProjectRow)`
    SELECT id, name, display_name, quota, created_at
    FROM project
    WHERE workspace_id = ${workspaceId} AND (${after}::uuid IS NULL OR id > ${after}::uuid)
    ORDER BY id
    LIMIT ${take}
  `);

/** A project of this workspace; an id that is null or foreign finds nothing. */
export const findProject = (
  db: CommonQueryMethods,
  workspaceId: string,
  projectId: string | null,
): Promise<ProjectRow | null> =>
  db.maybeOne(sql.type(ProjectRow)`
    SELECT id, name, display_name, quota, created_at
    FROM project
    WHERE workspace_id = ${workspaceId} AND id = ${projectId}::uuid
  `);

/** How many projects a workspace has. */
export const countProjects = (db: CommonQueryMethods, workspaceId: string): Promise<number> =>
  db.oneFirst(sql.type(z.strictObject({ count: z.int() }))`
    SELECT count(*)::int AS count
    FROM project
    WHERE workspace_id = ${workspaceId}
  `);

/** A project to insert. */
export type NewProject = {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly displayName: string;
  readonly quota: ResourceQuotaHard | null;
};

/** A new project; its constraint on names speaks when the name is taken. */
export const insertProject = (db: CommonQueryMethods, project: NewProject): Promise<ProjectRow> =>
  db.one(sql.type(ProjectRow)`
    INSERT INTO project (id, workspace_id, name, display_name, quota)
    VALUES (
      ${project.id}, ${project.workspaceId}, ${project.name}, ${project.displayName},
      ${project.quota === null ? null : sql.jsonb(project.quota)}
    )
    RETURNING id, name, display_name, quota, created_at
  `);

/** Deletes a project with its roles and the assignments in it. */
export const deleteProject = async (
  db: CommonQueryMethods,
  workspaceId: string,
  projectId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    DELETE FROM project
    WHERE workspace_id = ${workspaceId} AND id = ${projectId}
  `);
};
