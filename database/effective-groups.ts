/**
 * Effective groups: those a person or a service account is a direct member of and all ancestors of
 * these. The issuer puts them into tokens and the API decides by them, so the recursion is written
 * here and nowhere else.
 */
import { type CommonQueryMethods, type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import { isCurrent } from './condition.ts';

const GroupRow = z.strictObject({ id: z.uuid(), name: z.string() });

/** A group by id and name. */
export type EffectiveGroup = z.infer<typeof GroupRow>;

/**
 * Where direct memberships stand; a membership counts until its `expires_at`. A person may be in a group
 * by mappings of upstream groups besides: those rows have a `mapping`, and are nobody's to change.
 */
export const DIRECT_MEMBERSHIPS = {
  person: {
    table: sql.fragment`group_member`,
    member: sql.fragment`person_id`,
    key: sql.fragment`(workspace_id, person_id, group_id, mapping_id)`,
    mapping: sql.fragment`m.mapping_id`,
  },
  serviceAccount: {
    table: sql.fragment`group_service_account`,
    member: sql.fragment`service_account_id`,
    key: sql.fragment`(workspace_id, service_account_id, group_id)`,
    mapping: sql.fragment`NULL::uuid`,
  },
} as const;

/** What can be a member of a group. */
export type MemberKind = keyof typeof DIRECT_MEMBERSHIPS;

/**
 * `WITH RECURSIVE effective (id, parent_id, name) AS (…)` for one member of one workspace. UNION drops
 * what has been seen, so that a cycle in damaged data ends the walk; OFFSET 0 keeps each step an index
 * look-up for each row, where with plain joins the planner changes to hash joins over whole tables as
 * they grow.
 */
export const withEffectiveGroups = (
  workspaceId: string,
  memberId: string,
  kind: MemberKind = 'person',
): FragmentSqlToken =>
  sql.fragment`
    WITH RECURSIVE effective (id, parent_id, name) AS (
      SELECT direct.id, direct.parent_id, direct.name
      FROM ${DIRECT_MEMBERSHIPS[kind].table} m
      CROSS JOIN LATERAL (
        SELECT g.id, g.parent_id, g.name
        FROM workspace_group g
        WHERE g.id = m.group_id AND g.workspace_id = ${workspaceId}::uuid
        OFFSET 0
      ) direct
      WHERE m.workspace_id = ${workspaceId}::uuid
        AND m.${DIRECT_MEMBERSHIPS[kind].member} = ${memberId}::uuid
        AND ${isCurrent(sql.fragment`m`)}
      UNION
      SELECT parent.id, parent.parent_id, parent.name
      FROM effective e
      CROSS JOIN LATERAL (
        SELECT g.id, g.parent_id, g.name
        FROM workspace_group g
        WHERE g.id = e.parent_id AND g.workspace_id = ${workspaceId}::uuid
        OFFSET 0
      ) parent
    )
  `;

/** A member's effective groups by name, in code-unit order. */
export const listEffectiveGroups = (
  db: CommonQueryMethods,
  workspaceId: string,
  memberId: string,
  kind: MemberKind = 'person',
): Promise<readonly EffectiveGroup[]> =>
  db.any(sql.prepared(`list_effective_groups_${kind}`, GroupRow)`
    ${withEffectiveGroups(workspaceId, memberId, kind)}
    SELECT id, name FROM effective ORDER BY name COLLATE "C"
  `);

/**
 * `WITH RECURSIVE below (id) AS (…)`: groups of one workspace and all below them.
 *
 * @param roots what selects the ids of these groups
 */
export const withGroupsBelow = (workspaceId: string, roots: FragmentSqlToken): FragmentSqlToken =>
  sql.fragment`
    WITH RECURSIVE below (id) AS (
      ${roots}
      UNION
      SELECT g.id
      FROM below b
      JOIN workspace_group g ON g.workspace_id = ${workspaceId} AND g.parent_id = b.id
    )
  `;
