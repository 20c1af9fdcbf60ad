/** Which groups of a workspace decide anything in its cluster. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const DecidingRow = z.strictObject({ organization_id: z.uuid(), names: z.array(z.string()) });

/** Groups that something in the cluster is given to, and whose the workspace is. */
export type DecidingGroups = z.infer<typeof DecidingRow>;

/**
 * Of some groups those that hold an assignment, or that a binding in the cluster names which isn't ours. The
 * others are in the subjects of nothing there.
 *
 * @param workspaceId a UUID
 * @param names of groups of that workspace
 * @returns their names, sorted by code unit
 */
export const findDecidingGroups = async (
  db: CommonQueryMethods,
  workspaceId: string,
  names: readonly string[],
): Promise<DecidingGroups> => {
  const row = await selectDecidingGroups(db, workspaceId, names);
  return { ...row, names: row.names.toSorted() };
};

const selectDecidingGroups = (
  db: CommonQueryMethods,
  workspaceId: string,
  names: readonly string[],
): Promise<DecidingGroups> =>
  db.one(sql.prepared('issuer_deciding_groups', DecidingRow)`
    SELECT w.organization_id, ARRAY(
      SELECT g.name
      FROM workspace_group g
      WHERE g.workspace_id = w.id AND g.name = ANY(${sql.array([...names], 'text')})
        AND (
          EXISTS (SELECT FROM role_assignment a WHERE a.workspace_id = w.id AND a.group_id = g.id)
          OR EXISTS (
            SELECT FROM foreign_bound_group b WHERE b.workspace_id = w.id AND b.name = g.name
          )
        )
    ) AS names
    FROM workspace w
    WHERE w.id = ${workspaceId}::uuid
  `);
