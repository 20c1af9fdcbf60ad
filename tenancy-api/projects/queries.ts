import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven, isCurrent } from '#database/condition.ts';
import type { ResourceQuotaHard } from '#domain/plan.ts';
import { type SortedPageRequest, toOrder } from '../cursor.ts';
import { ProjectContents, ProjectRow } from './schema.ts';

const CountRow = z.strictObject({ count: z.int() });
const NameRow = z.strictObject({ name: z.string() });
const Nothing = z.strictObject({});

const projectColumns = sql.fragment`id, name, display_name, parent_id, quota, version, created_at`;

/** Which projects; `null` for any. */
export type ProjectFilter = {
  readonly workspaceId: string;
  readonly name: string | null;
  /** UUID. */
  readonly parentId: string | null;
};

/** The projects of a workspace, in the order asked for. */
export const listProjects = (
  db: CommonQueryMethods,
  { workspaceId, name, parentId }: ProjectFilter,
  page: SortedPageRequest,
): Promise<readonly ProjectRow[]> => {
  const { isAfter, orderBy } = toOrder(page, { id: sql.fragment`id`, name: sql.fragment`name` });
  return db.any(sql.type(ProjectRow)`
    SELECT ${projectColumns}
    FROM project
    WHERE workspace_id = ${workspaceId}
      AND ${ifGiven(name, (wanted) => sql.fragment`name = ${wanted}::text`)}
      AND ${ifGiven(parentId, (parent) => sql.fragment`parent_id = ${parent}::uuid`)}
      AND ${isAfter}
    ORDER BY ${orderBy}
    LIMIT ${page.take}
  `);
};

/** A project of this workspace; an id that is null or foreign finds nothing. */
export const findProject = (
  db: CommonQueryMethods,
  workspaceId: string,
  projectId: string | null,
): Promise<ProjectRow | null> =>
  db.maybeOne(sql.type(ProjectRow)`
    SELECT ${projectColumns}
    FROM project
    WHERE workspace_id = ${workspaceId} AND id = ${projectId}::uuid
  `);

/** How many projects a workspace has. */
export const countProjects = (db: CommonQueryMethods, workspaceId: string): Promise<number> =>
  db.oneFirst(sql.type(CountRow)`
    SELECT count(*)::int AS count
    FROM project
    WHERE workspace_id = ${workspaceId}
  `);

const ProjectNodeRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  parentId: z.uuid().nullable(),
});
/** A project's place in the tree. */
export type ProjectNodeRow = z.infer<typeof ProjectNodeRow>;

/** The whole tree of a workspace's projects, of which a plan allows so many; by name. */
export const listProjectNodes = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly ProjectNodeRow[]> =>
  db.any(sql.type(ProjectNodeRow)`
    SELECT id, name, parent_id AS "parentId"
    FROM project
    WHERE workspace_id = ${workspaceId}
    ORDER BY name
  `);

/** The names of the projects directly below one, at most so many. */
export const listChildNames = (
  db: CommonQueryMethods,
  workspaceId: string,
  { projectId, take }: { readonly projectId: string; readonly take: number },
): Promise<readonly string[]> =>
  db.anyFirst(sql.type(NameRow)`
    SELECT name
    FROM project
    WHERE workspace_id = ${workspaceId} AND parent_id = ${projectId}
    ORDER BY name
    LIMIT ${take}
  `);

/** What goes with a project; of its assignments, those that have not expired. */
export const countContents = (
  db: CommonQueryMethods,
  workspaceId: string,
  projectId: string,
): Promise<ProjectContents> =>
  db.one(sql.type(ProjectContents)`
    SELECT
      (SELECT count(*)::int FROM project_role
        WHERE workspace_id = ${workspaceId} AND project_id = ${projectId}) AS roles,
      (SELECT count(*)::int FROM role_assignment a
        WHERE a.workspace_id = ${workspaceId} AND a.project_id = ${projectId}
          AND ${isCurrent(sql.fragment`a`)}) AS role_assignments
  `);

/** What of a project can change. */
export type ProjectValues = {
  readonly displayName: string;
  readonly parentId: string | null;
  readonly quota: ResourceQuotaHard | null;
};

/** A project to insert. */
export type NewProject = ProjectValues & {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
};

/** A new project; its constraint on names speaks when the name is taken. */
export const insertProject = (db: CommonQueryMethods, project: NewProject): Promise<ProjectRow> =>
  db.one(sql.type(ProjectRow)`
    INSERT INTO project (id, workspace_id, name, display_name, parent_id, quota)
    VALUES (
      ${project.id}, ${project.workspaceId}, ${project.name}, ${project.displayName},
      ${project.parentId}, ${toJson(project.quota)}
    )
    RETURNING ${projectColumns}
  `);

/** Renames, moves and limits a project. */
export const updateProject = (
  db: CommonQueryMethods,
  workspaceId: string,
  project: ProjectValues & { readonly id: string },
): Promise<ProjectRow> =>
  db.one(sql.type(ProjectRow)`
    UPDATE project
    SET display_name = ${project.displayName}, parent_id = ${project.parentId},
      quota = ${toJson(project.quota)}, version = version + 1, updated_at = now()
    WHERE workspace_id = ${workspaceId} AND id = ${project.id}
    RETURNING ${projectColumns}
  `);

const toJson = (quota: ResourceQuotaHard | null) => (quota === null ? null : sql.jsonb(quota));

/** Deletes a project with its roles and the assignments in it; one below it is a foreign-key error. */
export const deleteProject = async (
  db: CommonQueryMethods,
  workspaceId: string,
  projectId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM project
    WHERE workspace_id = ${workspaceId} AND id = ${projectId}
  `);
};
