/** Whose groups a token carries: one recursive query over a workspace's tree. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { withEffectiveGroups } from '#database/effective-groups.ts';

const EffectiveGroups = z.strictObject({ is_member: z.boolean(), names: z.array(z.string()) });

/**
 * The names of the groups a person is in: those they are a direct member of and all ancestors of
 * these, each once, sorted by code unit.
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
      coalesce((SELECT array_agg(e.name) FROM effective e), '{}') AS names
  `);
