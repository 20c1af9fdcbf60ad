import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import { MAX_GROUP_DEPTH } from '#domain/group-tree.ts';
import { type SortedPageRequest, toOrder } from '../cursor.ts';
import { GroupRow } from './schema.ts';

const Nothing = z.strictObject({});

const groupColumns = sql.fragment`id, name, display_name, parent_id, preset, version, created_at`;

/** Which groups; null for any. */
export type GroupFilter = {
  readonly workspaceId: string;
  readonly parentId: string | null;
  readonly name: string | null;
};

/** The groups of a workspace, in the order asked for. */
export const listGroups = (
  db: CommonQueryMethods,
  { workspaceId, parentId, name }: GroupFilter,
  page: SortedPageRequest,
): Promise<readonly GroupRow[]> => {
  const { isAfter, orderBy } = toOrder(page, { id: sql.fragment`id`, name: sql.fragment`name` });
  return db.any(sql.type(GroupRow)`
    SELECT ${groupColumns}
    FROM workspace_group
    WHERE workspace_id = ${workspaceId}
      AND ${ifGiven(parentId, (parent) => sql.fragment`parent_id = ${parent}::uuid`)}
      AND ${ifGiven(name, (wanted) => sql.fragment`lower(name) = lower(${wanted}::text)`)}
      AND ${isAfter}
    ORDER BY ${orderBy}
    LIMIT ${page.take}
  `);
};

/** A group of this workspace; an id that is null or foreign finds nothing. */
export const findGroup = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string | null,
): Promise<GroupRow | null> =>
  db.maybeOne(sql.type(GroupRow)`
    SELECT ${groupColumns}
    FROM workspace_group
    WHERE workspace_id = ${workspaceId} AND id = ${groupId}::uuid
  `);

/** A group of this workspace by its exact name. */
export const findGroupByName = (
  db: CommonQueryMethods,
  workspaceId: string,
  name: string,
): Promise<GroupRow | null> =>
  db.maybeOne(sql.type(GroupRow)`
    SELECT ${groupColumns}
    FROM workspace_group
    WHERE workspace_id = ${workspaceId} AND lower(name) = lower(${name}) AND name = ${name}
  `);

const GroupNodeRow = z.strictObject({ id: z.uuid(), parentId: z.uuid().nullable() });

const CountRow = z.strictObject({ count: z.int() });

/** A group and all above it, as far as they are of this workspace; safe on a cycle. */
export const listGroupAndAncestors = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string | null,
): Promise<readonly z.infer<typeof GroupNodeRow>[]> =>
  db.any(sql.type(GroupNodeRow)`
    WITH RECURSIVE above (id, parent_id) AS (
      SELECT id, parent_id
      FROM workspace_group
      WHERE workspace_id = ${workspaceId} AND id = ${groupId}::uuid
      UNION
      SELECT g.id, g.parent_id
      FROM above a
      JOIN workspace_group g ON g.workspace_id = ${workspaceId} AND g.id = a.parent_id
    )
    SELECT id, parent_id AS "parentId"
    FROM above
  `);

/** How many levels a group and what is below it have; the limit ends the count on a cycle. */
export const countLevels = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string,
): Promise<number> =>
  db.oneFirst(sql.type(CountRow)`
    WITH RECURSIVE below (id, level) AS (
      SELECT ${groupId}::uuid, 1
      UNION
      SELECT g.id, b.level + 1
      FROM below b
      JOIN workspace_group g ON g.workspace_id = ${workspaceId} AND g.parent_id = b.id
      WHERE b.level <= ${MAX_GROUP_DEPTH}
    )
    SELECT max(level) AS count FROM below
  `);

/** A group to insert. */
export type NewGroup = {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly parentId: string | null;
  /** The name in an import, when that had to be made to fit. */
  readonly importedAs?: string | null;
};

/** Inserts groups, whose parents may be among them. */
export const insertGroups = async (
  db: CommonQueryMethods,
  workspaceId: string,
  { groups, preset }: { readonly groups: readonly NewGroup[]; readonly preset: boolean },
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO workspace_group (
      id, workspace_id, name, display_name, parent_id, imported_as, preset
    )
    SELECT g.id, ${workspaceId}, g.name, g.display_name, g.parent_id, g.imported_as, ${preset}
    FROM ${sql.unnest(
      groups.map((group) => [
        group.id,
        group.name,
        group.displayName,
        group.parentId,
        group.importedAs ?? null,
      ]),
      ['uuid', 'text', 'text', 'uuid', 'text'],
    )} AS g (id, name, display_name, parent_id, imported_as)
  `);
};

/** A group's new place and display name. */
export type GroupPlace = {
  readonly id: string;
  readonly displayName: string;
  readonly parentId: string | null;
};

/** Moves and renames groups of this workspace. */
export const updateGroups = async (
  db: CommonQueryMethods,
  workspaceId: string,
  groups: readonly GroupPlace[],
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace_group g
    SET display_name = n.display_name, parent_id = n.parent_id, version = version + 1,
      updated_at = now()
    FROM ${sql.unnest(
      groups.map((group) => [group.id, group.displayName, group.parentId]),
      ['uuid', 'text', 'uuid'],
    )} AS n (id, display_name, parent_id)
    WHERE g.workspace_id = ${workspaceId} AND g.id = n.id
  `);
};

/** Deletes a group with its memberships and assignments; a group below it is a foreign-key error. */
export const deleteGroup = async (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM workspace_group
    WHERE workspace_id = ${workspaceId} AND id = ${groupId}
  `);
};

/** Whether a group holds any role. */
export const hasRoleAssignments = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string,
): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT FROM role_assignment
    WHERE workspace_id = ${workspaceId} AND group_id = ${groupId}
  `);
