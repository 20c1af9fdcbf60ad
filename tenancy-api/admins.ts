/** The rule that a workspace is never left without someone who can administer it. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ADMINS_GROUP } from '#domain/presets.ts';
import { PROBLEMS, Problem } from './problems.ts';

/**
 * Judges the state as it is after a change, so that every kind of change is judged alike.
 *
 * @param leaving a person (UUID) who is about to leave the workspace
 * @throws Problem last-admin when nobody is in WSAdmins or a group below it for good who isn't
 * suspended and has signed in before: a mistyped identity administers nothing
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

const hasAdmin = (
  db: CommonQueryMethods,
  workspaceId: string,
  leaving: string | null,
): Promise<boolean> =>
  db.exists(sql.type(z.strictObject({}))`
    WITH RECURSIVE admins (id) AS (
      SELECT id
      FROM workspace_group
      WHERE workspace_id = ${workspaceId} AND lower(name) = lower(${ADMINS_GROUP})
      UNION
      SELECT g.id
      FROM admins a
      JOIN workspace_group g ON g.workspace_id = ${workspaceId} AND g.parent_id = a.id
    )
    SELECT
    FROM group_member m
    JOIN person p ON p.id = m.person_id AND p.suspended_at IS NULL AND p.first_signed_in_at IS NOT NULL
    WHERE m.workspace_id = ${workspaceId}
      AND m.group_id IN (SELECT id FROM admins)
      AND m.expires_at IS NULL
      AND m.person_id IS DISTINCT FROM ${leaving}::uuid
  `);
