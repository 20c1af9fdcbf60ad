import { type CommonQueryMethods, type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import { isCurrent } from '#database/condition.ts';
import { MEMBERS_GROUP } from '#domain/presets.ts';
import { ExportedGroupRow, LeftOutRow } from './schema.ts';

const SubjectRow = z.strictObject({ subject: z.string() });

/** One subject for each member who has any at the connector: of several the first. */
const withIdentities = (workspaceId: string, connector: string): FragmentSqlToken => sql.fragment`
  WITH known (person_id, subject) AS MATERIALIZED (
    SELECT person_id, min(subject COLLATE "C")
    FROM member_identities(${workspaceId})
    WHERE connector = ${connector}
    GROUP BY person_id
  )
`;

/**
 * The groups that aren't presets, by name, with those who were put into them for good; whom mappings
 * bring, they bring again.
 */
export const listExportedGroups = (
  db: CommonQueryMethods,
  workspaceId: string,
  connector: string,
): Promise<readonly ExportedGroupRow[]> =>
  db.any(sql.type(ExportedGroupRow)`
    ${withIdentities(workspaceId, connector)}, members (group_id, subjects) AS (
      SELECT m.group_id, array_agg(k.subject ORDER BY k.subject COLLATE "C")
      FROM group_member m
      JOIN known k ON k.person_id = m.person_id
      WHERE m.workspace_id = ${workspaceId} AND m.expires_at IS NULL
        AND m.mapping_id IS NULL
      GROUP BY m.group_id
    )
    SELECT g.name, g.display_name, nullif(p.name, ${MEMBERS_GROUP}) AS parent,
      coalesce(m.subjects, '{}') AS members
    FROM workspace_group g
    LEFT JOIN workspace_group p ON p.workspace_id = g.workspace_id AND p.id = g.parent_id
    LEFT JOIN members m ON m.group_id = g.id
    WHERE g.workspace_id = ${workspaceId} AND NOT g.preset
    ORDER BY g.name COLLATE "C"
  `);

/** The subjects of all direct members at a connector, by code unit. */
export const listExportedMembers = (
  db: CommonQueryMethods,
  workspaceId: string,
  connector: string,
): Promise<readonly string[]> =>
  db.anyFirst(sql.type(SubjectRow)`
    ${withIdentities(workspaceId, connector)}
    SELECT k.subject
    FROM known k
    JOIN workspace_member w ON w.workspace_id = ${workspaceId} AND w.person_id = k.person_id AND w.direct
    ORDER BY subject COLLATE "C"
  `);

/** What an export by this connector leaves out, counted. */
export const countLeftOut = (
  db: CommonQueryMethods,
  workspaceId: string,
  connector: string,
): Promise<z.infer<typeof LeftOutRow>> =>
  db.one(sql.type(LeftOutRow)`
    ${withIdentities(workspaceId, connector)}, memberships AS (
      SELECT m.expires_at IS NOT NULL AS expiring, g.preset, k.person_id IS NULL AS unknown
      FROM group_member m
      JOIN workspace_group g ON g.workspace_id = m.workspace_id AND g.id = m.group_id
      LEFT JOIN known k ON k.person_id = m.person_id
      WHERE m.workspace_id = ${workspaceId} AND ${isCurrent(sql.fragment`m`)}
        AND m.mapping_id IS NULL
    )
    SELECT
      (
        SELECT count(*)::int FROM workspace_member w
        WHERE w.workspace_id = ${workspaceId} AND w.direct
          AND w.person_id NOT IN (SELECT person_id FROM known)
      ) AS members,
      count(*) FILTER (WHERE unknown)::int AS memberships,
      count(*) FILTER (WHERE NOT unknown AND expiring)::int AS expiring_memberships,
      count(*) FILTER (WHERE NOT unknown AND NOT expiring AND preset)::int AS preset_memberships,
      (
        SELECT count(*)::int FROM service_account s
        WHERE s.workspace_id = ${workspaceId}
      ) AS service_accounts
    FROM memberships
  `);
