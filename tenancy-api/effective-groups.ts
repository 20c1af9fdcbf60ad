/** The groups a person is in, through the tree: one recursive query. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

/** A group by id (UUID) and name. */
export const GroupReferenceRow = z.strictObject({ id: z.uuid(), name: z.string() });
export type GroupReferenceRow = z.infer<typeof GroupReferenceRow>;

/**
 * A person's own groups in a workspace and all their ancestors, by name. `UNION` ends the walk even
 * on a cycle; each step is a lateral with `OFFSET 0`, which keeps it an index look-up at every size.
 */
export const listEffectiveGroups = (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<readonly GroupReferenceRow[]> =>
  db.any(sql.prepared('list_effective_groups', GroupReferenceRow)`
    WITH RECURSIVE effective (id, name, parent_id) AS (
      SELECT g.id, g.name, g.parent_id
      FROM group_member m
      CROSS JOIN LATERAL (
        SELECT o.id, o.name, o.parent_id
        FROM workspace_group o
        WHERE o.workspace_id = m.workspace_id AND o.id = m.group_id
        OFFSET 0
      ) g
      WHERE m.workspace_id = ${workspaceId} AND m.person_id = ${personId}
      UNION
      SELECT g.id, g.name, g.parent_id
      FROM effective e
      CROSS JOIN LATERAL (
        SELECT p.id, p.name, p.parent_id
        FROM workspace_group p
        WHERE p.workspace_id = ${workspaceId} AND p.id = e.parent_id
        OFFSET 0
      ) g
    )
    SELECT id, name
    FROM effective
    ORDER BY name COLLATE "C"
  `);
