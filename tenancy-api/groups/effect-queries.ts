import { type CommonQueryMethods, type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import { isCurrent } from '#database/condition.ts';
import {
  DIRECT_MEMBERSHIPS,
  type MemberKind,
  withGroupsBelow,
} from '#database/effective-groups.ts';
import { GrantRow } from './effect-schema.ts';

const NodeRow = z.strictObject({ id: z.uuid(), name: z.string(), parentId: z.uuid().nullable() });

/** A group as the tree sees it, with its name. */
export type NodeRow = z.infer<typeof NodeRow>;

/** The whole tree of a workspace. */
export const listGroupNodes = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly NodeRow[]> =>
  db.any(sql.type(NodeRow)`
    SELECT id, name, parent_id AS "parentId"
    FROM workspace_group
    WHERE workspace_id = ${workspaceId}
  `);

const MembershipRow = z.strictObject({
  kind: z.enum(['person', 'service_account']),
  member: z.uuid(),
  display_name: z.string(),
  groupId: z.uuid(),
});

/** A direct membership, and whose it is. */
export type MembershipRow = z.infer<typeof MembershipRow>;

/** The same for people and service accounts, each by the indexes on their own table. */
const membershipsOf = (workspaceId: string, kind: MemberKind): FragmentSqlToken => {
  const { table, member } = DIRECT_MEMBERSHIPS[kind];
  const details = kind === 'person' ? sql.fragment`person` : sql.fragment`service_account`;
  return sql.fragment`
    SELECT DISTINCT ${kind === 'person' ? 'person' : 'service_account'} AS kind, m.${member} AS member,
      d.display_name, m.group_id AS "groupId"
    FROM (
      SELECT DISTINCT inside.${member} AS id
      FROM ${table} inside
      WHERE inside.workspace_id = ${workspaceId} AND inside.group_id IN (SELECT id FROM below)
        AND ${isCurrent(sql.fragment`inside`)}
    ) concerned
    JOIN ${table} m ON m.workspace_id = ${workspaceId} AND m.${member} = concerned.id
      AND ${isCurrent(sql.fragment`m`)}
    JOIN ${details} d ON d.id = m.${member}
  `;
};

/**
 * All direct memberships of those who are in a group or below it: people first, by display name.
 */
export const listMembershipsOfMembersBelow = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string,
): Promise<readonly MembershipRow[]> =>
  db.any(sql.type(MembershipRow)`
    ${withGroupsBelow(workspaceId, sql.fragment`SELECT ${groupId}::uuid`)}
    ${membershipsOf(workspaceId, 'person')}
    UNION ALL
    ${membershipsOf(workspaceId, 'serviceAccount')}
    ORDER BY kind, display_name, member
  `);

/** The roles that these groups hold. */
export const listGrants = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupIds: readonly string[],
): Promise<readonly GrantRow[]> =>
  db.any(sql.type(GrantRow)`
    SELECT a.id, a.group_id, a.project_id, p.name AS project_name,
      coalesce(r.name, a.preset_role) AS role, a.preset_role
    FROM role_assignment a
    LEFT JOIN project p ON p.id = a.project_id
    LEFT JOIN project_role r ON r.id = a.project_role_id
    WHERE a.workspace_id = ${workspaceId} AND a.group_id = ANY(${sql.array(groupIds, 'uuid')})
      AND ${isCurrent(sql.fragment`a`)}
    ORDER BY a.id
  `);
