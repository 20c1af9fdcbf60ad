/** Whose groups a token carries: one recursive query over a workspace's tree. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { withEffectiveGroups } from '#database/effective-groups.ts';

const EffectiveGroups = z.strictObject({
  is_member: z.boolean(),
  names: z.array(z.string()),
  seconds_left: z.int().nullable(),
});

/** Someone's membership of a workspace. */
export type Membership = {
  /** By name, sorted by code unit. */
  readonly groups: readonly string[];
  /** Whole seconds until the first of the memberships that make up the groups ends; `null`: none does. */
  readonly secondsLeft: number | null;
};

/**
 * The groups a person is in: those they are a direct member of and all ancestors of these, each once,
 * and for how long.
 *
 * @param personId a UUID
 * @param workspaceId a UUID; groups of other workspaces never count
 * @returns `undefined` for someone who isn't a member of the workspace
 */
export const resolveMembership = async (
  db: CommonQueryMethods,
  personId: string,
  workspaceId: string,
): Promise<Membership | undefined> => {
  const row = await selectEffectiveGroups(db, personId, workspaceId);
  if (!row.is_member) return undefined;
  return { groups: row.names.toSorted(), secondsLeft: row.seconds_left };
};

const selectEffectiveGroups = (
  db: CommonQueryMethods,
  personId: string,
  workspaceId: string,
): Promise<z.infer<typeof EffectiveGroups>> =>
  db.one(sql.prepared('issuer_effective_groups', EffectiveGroups)`
    ${withEffectiveGroups(workspaceId, personId)}
    SELECT
      EXISTS (
        SELECT FROM workspace_member w
        WHERE w.workspace_id = ${workspaceId}::uuid AND w.person_id = ${personId}::uuid
      ) AS is_member,
      coalesce((SELECT array_agg(e.name) FROM effective e), '{}') AS names,
      (
        SELECT floor(extract(epoch FROM min(m.expires_at) - now()))::int
        FROM group_member m
        WHERE m.workspace_id = ${workspaceId}::uuid AND m.person_id = ${personId}::uuid
          AND m.expires_at > now() AND m.expires_at < now() + interval '1 hour'
      ) AS seconds_left
  `);
