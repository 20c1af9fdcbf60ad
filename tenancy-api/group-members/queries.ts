import { type CommonQueryMethods, type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven, isCurrent } from '#database/condition.ts';
import {
  DIRECT_MEMBERSHIPS,
  type MemberKind,
  withGroupsBelow,
} from '#database/effective-groups.ts';
import type { PageRequest } from '../cursor.ts';
import { GroupMemberRow } from './schema.ts';

const Nothing = z.strictObject({});

/** A direct membership, of a person or a service account. */
export type GroupMembership = {
  readonly kind: MemberKind;
  readonly groupId: string;
  readonly memberId: string;
};

const isInForce = isCurrent(sql.fragment`m`);

const DETAILS = {
  person: sql.fragment`SELECT id, NULL::text AS name, display_name FROM person`,
  serviceAccount: sql.fragment`SELECT id, name, display_name FROM service_account`,
} as const satisfies Record<MemberKind, FragmentSqlToken>;

/** Whose members are listed; one of them alone by `memberId`. */
export type GroupMemberFilter = {
  readonly workspaceId: string;
  readonly groupId: string;
  readonly kind: MemberKind;
  /** With the members of all groups below. */
  readonly effective: boolean;
  readonly memberId?: string;
};

/** The members of a group, by their id, each with the direct memberships that make them one. */
export const listGroupMembers = (
  db: CommonQueryMethods,
  filter: GroupMemberFilter,
  { after, take }: PageRequest,
): Promise<readonly GroupMemberRow[]> => {
  const { workspaceId, groupId, kind, effective, memberId = null } = filter;
  const { table, member, mapping } = DIRECT_MEMBERSHIPS[kind];
  // With one group alone the index on it gives the page without looking at anyone else.
  const isInside = effective
    ? sql.fragment`m.group_id IN (SELECT id FROM below)`
    : sql.fragment`m.group_id = ${groupId}`;
  return db.any(sql.type(GroupMemberRow)`
    ${withGroupsBelow(workspaceId, sql.fragment`SELECT ${groupId}::uuid`)}, shown AS (
      SELECT DISTINCT m.${member} AS member_id
      FROM ${table} m
      WHERE m.workspace_id = ${workspaceId} AND ${isInside} AND ${isInForce}
        AND ${ifGiven(memberId, (one) => sql.fragment`m.${member} = ${one}::uuid`)}
        AND ${ifGiven(after, (last) => sql.fragment`m.${member} > ${last}::uuid`)}
      ORDER BY member_id
      LIMIT ${take}
    )
    SELECT s.member_id, d.name, d.display_name, t.through
    FROM shown s
    JOIN (${DETAILS[kind]}) d ON d.id = s.member_id
    CROSS JOIN LATERAL (
      SELECT jsonb_agg(
        jsonb_build_object(
          'id', g.id, 'name', g.name, 'created_at', m.created_at, 'expires_at', m.expires_at,
          'mapping_id', ${mapping}
        )
        ORDER BY g.name COLLATE "C", ${mapping} NULLS FIRST
      ) AS through
      FROM ${table} m
      JOIN workspace_group g ON g.workspace_id = m.workspace_id AND g.id = m.group_id
      WHERE m.workspace_id = ${workspaceId} AND m.${member} = s.member_id
        AND ${isInside} AND ${isInForce}
    ) t
    ORDER BY s.member_id
  `);
};

const MembershipRow = z.strictObject({ expires_at: z.date().nullable() });

/** A direct membership that counts, given by somebody. */
export const findGroupMembership = (
  db: CommonQueryMethods,
  workspaceId: string,
  { kind, groupId, memberId }: GroupMembership,
): Promise<z.infer<typeof MembershipRow> | null> =>
  db.maybeOne(sql.type(MembershipRow)`
    SELECT m.expires_at
    FROM ${DIRECT_MEMBERSHIPS[kind].table} m
    WHERE m.workspace_id = ${workspaceId} AND m.group_id = ${groupId}
      AND m.${DIRECT_MEMBERSHIPS[kind].member} = ${memberId} AND ${isInForce}
      AND ${DIRECT_MEMBERSHIPS[kind].mapping} IS NULL
  `);

/** Whether a mapping of an upstream group makes a person a member of a group. */
export const isMapped = (
  db: CommonQueryMethods,
  workspaceId: string,
  { groupId, personId }: PersonMembership,
): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT FROM group_member
    WHERE workspace_id = ${workspaceId} AND group_id = ${groupId} AND person_id = ${personId}
      AND mapping_id IS NOT NULL
  `);

/** Sets until when a direct membership holds; makes it when there is none. */
export const upsertGroupMembership = async (
  db: CommonQueryMethods,
  workspaceId: string,
  { kind, groupId, memberId, expiresAt }: GroupMembership & { readonly expiresAt: Date | null },
): Promise<void> => {
  const { table, member, key } = DIRECT_MEMBERSHIPS[kind];
  await db.query(sql.type(Nothing)`
    INSERT INTO ${table} AS m (workspace_id, group_id, ${member}, expires_at)
    VALUES (
      ${workspaceId}, ${groupId}, ${memberId}, ${expiresAt && sql.timestamp(expiresAt)}
    )
    ON CONFLICT ${key} DO UPDATE
    SET expires_at = excluded.expires_at,
      created_at = CASE WHEN ${isInForce} THEN m.created_at ELSE excluded.created_at END
  `);
};

const AddedRow = z.strictObject({ groupId: z.uuid(), personId: z.uuid() });

/** A person's direct membership. */
export type PersonMembership = z.infer<typeof AddedRow>;

/**
 * Puts members of a workspace into its groups for good; returns the memberships that are new. Who is
 * in a group until some time stays so until then.
 */
export const insertGroupMembers = (
  db: CommonQueryMethods,
  workspaceId: string,
  memberships: readonly PersonMembership[],
): Promise<readonly PersonMembership[]> =>
  db.any(sql.type(AddedRow)`
    INSERT INTO group_member AS m (workspace_id, group_id, person_id)
    SELECT ${workspaceId}, n.group_id, n.person_id
    FROM ${sql.unnest(
      memberships.map((membership) => [membership.groupId, membership.personId]),
      ['uuid', 'uuid'],
    )} AS n (group_id, person_id)
    ON CONFLICT ${DIRECT_MEMBERSHIPS.person.key} DO UPDATE
    SET expires_at = NULL, created_at = excluded.created_at
    WHERE m.expires_at <= now()
    RETURNING m.group_id AS "groupId", m.person_id AS "personId"
  `);

/** Ends a direct membership that somebody gave; returns whether there was one that counted. */
export const deleteGroupMembership = async (
  db: CommonQueryMethods,
  workspaceId: string,
  { kind, groupId, memberId }: GroupMembership,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    DELETE FROM ${DIRECT_MEMBERSHIPS[kind].table} m
    WHERE m.workspace_id = ${workspaceId} AND m.group_id = ${groupId}
      AND m.${DIRECT_MEMBERSHIPS[kind].member} = ${memberId} AND ${isInForce}
      AND ${DIRECT_MEMBERSHIPS[kind].mapping} IS NULL
  `);
  return rowCount > 0;
};
