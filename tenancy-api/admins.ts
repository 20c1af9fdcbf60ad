/** Who administers a workspace: never nobody, and nobody for longer than who made them an admin. */
import { type CommonQueryMethods, type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import { isCurrent } from '#database/condition.ts';
import { withGroupsBelow } from '#database/effective-groups.ts';
import { ADMINS_GROUP } from '#domain/presets.ts';
import type { RequestContext } from './context.ts';
import { PROBLEMS, Problem } from './problems.ts';

/**
 * Judges the state as it is after a change, so that every kind of change is judged alike.
 *
 * @param leaving a person (UUID) who is about to leave the workspace
 * @throws Problem last-admin when nobody is in WSAdmins or a group below it for good who isn't
 * suspended and has signed in before: a mistyped identity administers nothing, and whom a mapping of an
 * upstream group makes an admin is one at the provider's pleasure
 */
export const assertAdminRemains = async (
  db: CommonQueryMethods,
  workspaceId: string,
  leaving: string | null = null,
): Promise<void> => {
  if (await hasAdmin(db, workspaceId, leaving)) return;
  throw new Problem(
    PROBLEMS.lastAdmin,
    `Nobody would be left in ${ADMINS_GROUP}. Add someone who has signed in before to ${ADMINS_GROUP}, then repeat this.`,
  );
};

/**
 * Carries out a change of groups or memberships as long as it makes nobody an admin for longer than the
 * caller is one: who administers for a time can't make that time longer, for themselves or for others.
 *
 * @param change carries it out
 * @throws Problem forbidden when it would
 */
export const withinOwnTime = async <Result>(
  { tx, personId }: RequestContext,
  workspaceId: string,
  change: () => Promise<Result>,
): Promise<Result> => {
  const before = await listAdmins(tx, workspaceId);
  const own = before.get(personId);
  if (own === undefined || own === Number.POSITIVE_INFINITY) return change();
  const result = await change();
  for (const [member, end] of await listAdmins(tx, workspaceId)) {
    if (end <= own || end <= (before.get(member) ?? 0)) continue;
    throw new Problem(
      PROBLEMS.forbidden,
      `You are in ${ADMINS_GROUP} until ${new Date(own).toISOString()}, and so can make nobody an admin for longer. Ask an admin who is one for good.`,
    );
  }
  return result;
};

/** The group WSAdmins and all below it. */
const withAdmins = (workspaceId: string): FragmentSqlToken =>
  withGroupsBelow(
    workspaceId,
    sql.fragment`
      SELECT id
      FROM workspace_group
      WHERE workspace_id = ${workspaceId} AND lower(name) = lower(${ADMINS_GROUP})
    `,
  );

const AdminRow = z.strictObject({ member: z.uuid(), ends: z.date().nullable() });

/**
 * Until when who is an admin: person or service account (UUID) → milliseconds, or infinity. A mapping
 * counts as one that is an admin for good: it makes new ones without being asked again.
 */
const listAdmins = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<ReadonlyMap<string, number>> => {
  const rows = await db.any(sql.type(AdminRow)`
    ${withAdmins(workspaceId)}
    SELECT member, CASE WHEN bool_and(expires_at IS NOT NULL) THEN max(expires_at) END AS ends
    FROM (
      SELECT person_id AS member, group_id, expires_at
      FROM group_member WHERE workspace_id = ${workspaceId}
      UNION ALL
      SELECT service_account_id, group_id, expires_at
      FROM group_service_account WHERE workspace_id = ${workspaceId}
      UNION ALL
      SELECT id, group_id, NULL
      FROM group_mapping WHERE workspace_id = ${workspaceId}
    ) m
    WHERE m.group_id IN (SELECT id FROM below) AND ${isCurrent(sql.fragment`m`)}
    GROUP BY member
  `);
  return new Map(
    rows.map(({ member, ends }) => [member, ends?.getTime() ?? Number.POSITIVE_INFINITY]),
  );
};

const hasAdmin = (
  db: CommonQueryMethods,
  workspaceId: string,
  leaving: string | null,
): Promise<boolean> =>
  db.exists(sql.type(z.strictObject({}))`
    ${withAdmins(workspaceId)}
    SELECT
    FROM group_member m
    JOIN person p ON p.id = m.person_id AND p.suspended_at IS NULL AND p.first_signed_in_at IS NOT NULL
    WHERE m.workspace_id = ${workspaceId}
      AND m.group_id IN (SELECT id FROM below)
      AND m.expires_at IS NULL AND m.mapping_id IS NULL
      AND m.person_id IS DISTINCT FROM ${leaving}::uuid
  `);
