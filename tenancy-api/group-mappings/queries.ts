import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { PageRequest } from '../cursor.ts';
import { GroupMappingRow } from './schema.ts';

/** A group (UUID) of a workspace (UUID). */
export type GroupKey = { readonly workspaceId: string; readonly groupId: string };

const mappingColumns = sql.fragment`
  g.id, g.connector, g.upstream_group, g.created_by, g.created_at,
  (SELECT count(*)::int FROM group_member m WHERE m.mapping_id = g.id) AS members`;

/** The mappings of a group, in the order in which they were made. */
export const listGroupMappings = (
  db: CommonQueryMethods,
  { workspaceId, groupId }: GroupKey,
  { after, take }: PageRequest,
): Promise<readonly GroupMappingRow[]> =>
  db.any(sql.type(GroupMappingRow)`
    SELECT ${mappingColumns}
    FROM group_mapping g
    WHERE g.workspace_id = ${workspaceId} AND g.group_id = ${groupId}
      AND ${ifGiven(after, (last) => sql.fragment`g.id > ${last}::uuid`)}
    ORDER BY g.id
    LIMIT ${take}
  `);

/** A mapping of this group. */
export const findGroupMapping = (
  db: CommonQueryMethods,
  { workspaceId, groupId }: GroupKey,
  mappingId: string,
): Promise<GroupMappingRow | null> =>
  db.maybeOne(sql.type(GroupMappingRow)`
    SELECT ${mappingColumns}
    FROM group_mapping g
    WHERE g.workspace_id = ${workspaceId} AND g.group_id = ${groupId} AND g.id = ${mappingId}
  `);

/** A mapping to insert. */
export type NewGroupMapping = GroupKey & {
  readonly id: string;
  readonly connector: string;
  readonly upstreamGroup: string;
  readonly createdBy: string;
};

/** A new mapping; its constraint speaks when the group has it already. */
export const insertGroupMapping = async (
  db: CommonQueryMethods,
  mapping: NewGroupMapping,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    INSERT INTO group_mapping (id, workspace_id, group_id, connector, upstream_group, created_by)
    VALUES (
      ${mapping.id}, ${mapping.workspaceId}, ${mapping.groupId}, ${mapping.connector},
      ${mapping.upstreamGroup}, ${mapping.createdBy}
    )
  `);
};

const AppliedRow = z.strictObject({ members: z.int() });

/** Makes members of those whom a new mapping concerns; answers how many. */
export const applyGroupMapping = (db: CommonQueryMethods, mappingId: string): Promise<number> =>
  db.oneFirst(sql.type(AppliedRow)`
    SELECT apply_group_mapping(${mappingId}) AS members
  `);

/** Deletes a mapping with the memberships that follow from it. */
export const deleteGroupMapping = async (
  db: CommonQueryMethods,
  { workspaceId, groupId }: GroupKey,
  mappingId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    DELETE FROM group_mapping
    WHERE workspace_id = ${workspaceId} AND group_id = ${groupId} AND id = ${mappingId}
  `);
};

const InsideRow = z.strictObject({ inside: z.boolean() });

/** Whether a provider has said that the caller is in an upstream group. */
export const amInUpstreamGroup = (
  db: CommonQueryMethods,
  connector: string,
  upstreamGroup: string,
): Promise<boolean> =>
  db.oneFirst(sql.type(InsideRow)`
    SELECT am_in_upstream_group(${connector}, ${upstreamGroup}) AS inside
  `);
