import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
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

/**
 * All direct memberships of those who are in a group or below it: people first, by display name.
 */
export const listMembershipsOfMembersBelow = (
  db: CommonQueryMethods,
  workspaceId: string,
  groupId: string,
): Promise<readonly MembershipRow[]> =>
  db.any(sql.type(MembershipRow)`
    WITH RECURSIVE below (id) AS (
      SELECT ${groupId}::uuid
      UNION
      SELECT g.id
      FROM below b
      JOIN workspace_group g ON g.workspace_id = ${workspaceId} AND g.parent_id = b.id
    ), direct (kind, member, group_id) AS (
      SELECT 'person', person_id, group_id
      FROM group_member
      WHERE workspace_id = ${workspaceId} AND (expires_at IS NULL OR expires_at > now())
      UNION ALL
      SELECT 'service_account', service_account_id, group_id
      FROM group_service_account
      WHERE workspace_id = ${workspaceId} AND (expires_at IS NULL OR expires_at > now())
    ), concerned AS (
      SELECT DISTINCT kind, member
      FROM direct
      WHERE group_id IN (SELECT id FROM below)
    )
    SELECT d.kind, d.member, coalesce(p.display_name, s.display_name) AS display_name,
      d.group_id AS "groupId"
    FROM concerned c
    JOIN direct d ON d.kind = c.kind AND d.member = c.member
    LEFT JOIN person p ON c.kind = 'person' AND p.id = c.member
    LEFT JOIN service_account s ON c.kind = 'service_account' AND s.id = c.member
    ORDER BY d.kind, display_name, d.member
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
      AND (a.expires_at IS NULL OR a.expires_at > now())
    ORDER BY a.id
  `);
