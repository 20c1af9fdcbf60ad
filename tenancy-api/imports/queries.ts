import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const ExistingGroupRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  displayName: z.string(),
  parentId: z.uuid().nullable(),
  importedAs: z.string().nullable(),
});

/** All groups of a workspace, for planning. */
export const listAllGroups = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly z.infer<typeof ExistingGroupRow>[]> =>
  db.any(sql.type(ExistingGroupRow)`
    SELECT id, name, display_name AS "displayName", parent_id AS "parentId",
      imported_as AS "importedAs"
    FROM workspace_group
    WHERE workspace_id = ${workspaceId}
  `);
