/** Whose groups a token carries: one recursive query over a workspace's tree. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const EffectiveGroups = z.strictObject({ is_member: z.boolean(), names: z.array(z.string()) });

/**
 * The names of the groups a person is in: those they are a direct member of and all ancestors of
 * these, each once, sorted by code unit. UNION drops what has been seen, so that a cycle in damaged
 * data ends the walk.
 *
 * @param personId a UUID
 * @param workspaceId a UUID; groups of other workspaces never count
 * @returns `undefined` for someone who isn't a member of the workspace
 */
export const resolveGroups = async (
  db: CommonQueryMethods,
  personId: string,
  workspaceId: string,
): Promise<string[] | undefined> => {
  const row = await selectEffectiveGroups(db, personId, workspaceId);
  return row.is_member ? row.names.toSorted() : undefined;
};

// OFFSET 0 keeps each step an index look-up for each row: with plain joins the planner changes to hash
// joins over whole tables as they grow.
const selectEffectiveGroups = (
  db: CommonQueryMethods,
  personId: string,
  workspaceId: string,
): Promise<z.infer<typeof EffectiveGroups>> =>
  db.one(sql.prepared('issuer_effective_groups', EffectiveGroups)`
    WITH RECURSIVE effective (id, parent_id, name) AS (
      SELECT direct.id, direct.parent_id, direct.name
      FROM group_member m
      CROSS JOIN LATERAL (
        SELECT g.id, g.parent_id, g.name
        FROM workspace_group g
        WHERE g.id = m.group_id AND g.workspace_id = ${workspaceId}::uuid
        OFFSET 0
      ) direct
      WHERE m.workspace_id = ${workspaceId}::uuid AND m.person_id = ${personId}::uuid
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
    SELECT
      EXISTS (
        SELECT FROM workspace_member w
        WHERE w.workspace_id = ${workspaceId}::uuid AND w.person_id = ${personId}::uuid
      ) AS is_member,
      coalesce((SELECT array_agg(e.name) FROM effective e), '{}') AS names
  `);
