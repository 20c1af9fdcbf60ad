import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import type { PageRequest } from '../cursor.ts';
import { MemberRow } from '../members/schema.ts';

/** The direct members of a group, by the person's id. */
export const listGroupMembers = (
  db: CommonQueryMethods,
  { workspaceId, groupId }: { readonly workspaceId: string; readonly groupId: string },
  { after, take }: PageRequest,
): Promise<readonly MemberRow[]> =>
  db.any(sql.type(MemberRow)`
    SELECT m.person_id, p.display_name, p.email, m.created_at
    FROM group_member m
    JOIN person p ON p.id = m.person_id
    WHERE m.workspace_id = ${workspaceId} AND m.group_id = ${groupId}
      AND (${after}::uuid IS NULL OR m.person_id > ${after}::uuid)
    ORDER BY m.person_id
    LIMIT ${take}
  `);

/** A direct membership. */
export type GroupMembership = { readonly groupId: string; readonly personId: string };

/** A direct member of a group. */
export const getGroupMember = (
  db: CommonQueryMethods,
  workspaceId: string,
  { groupId, personId }: GroupMembership,
): Promise<MemberRow> =>
  db.one(sql.type(MemberRow)`
    SELECT m.person_id, p.display_name, p.email, m.created_at
    FROM group_member m
    JOIN person p ON p.id = m.person_id
    WHERE m.workspace_id = ${workspaceId} AND m.group_id = ${groupId} AND m.person_id = ${personId}
  `);

/** Puts members of a workspace into its groups; returns how many memberships are new. */
export const insertGroupMembers = async (
  db: CommonQueryMethods,
  workspaceId: string,
  memberships: readonly GroupMembership[],
): Promise<number> => {
  const { rowCount } = await db.query(sql.type(z.strictObject({}))`
    INSERT INTO group_member (workspace_id, group_id, person_id)
    SELECT ${workspaceId}, m.group_id, m.person_id
    FROM ${sql.unnest(
      memberships.map((membership) => [membership.groupId, membership.personId]),
      ['uuid', 'uuid'],
    )} AS m (group_id, person_id)
    ON CONFLICT ON CONSTRAINT group_member__workspace_id_person_id_group_id__pkey DO NOTHING
  `);
  return rowCount;
};

/** Ends a direct membership; returns whether there was one. */
export const deleteGroupMember = async (
  db: CommonQueryMethods,
  workspaceId: string,
  { groupId, personId }: GroupMembership,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(z.strictObject({}))`
    DELETE FROM group_member
    WHERE workspace_id = ${workspaceId} AND group_id = ${groupId} AND person_id = ${personId}
  `);
  return rowCount > 0;
};
