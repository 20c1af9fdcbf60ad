import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

/** Ends a person's sign-ins to a workspace of the caller; how many there were. Ids are UUIDs. */
export const endWorkspaceGrants = (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<number> =>
  db.oneFirst(sql.type(z.strictObject({ ended: z.int() }))`
    SELECT end_workspace_grants(${personId}::uuid, ${workspaceId}::uuid) AS ended
  `);

const EndedRow = z.strictObject({ grants: z.int(), sessions: z.int() });

/**
 * Ends all sign-ins of the caller, or of anybody for a platform administrator; `null` when there is no such
 * person. @param personId UUID
 */
export const signOutEverywhere = (
  db: CommonQueryMethods,
  personId: string,
): Promise<z.infer<typeof EndedRow> | null> =>
  db.maybeOne(sql.type(EndedRow)`
    SELECT grants, sessions FROM sign_out_everywhere(${personId}::uuid)
  `);

/** The private organization of a person, which holds the audit of their account. */
export const findPrivateOrganization = (
  db: CommonQueryMethods,
  personId: string,
): Promise<string> =>
  db.oneFirst(sql.type(z.strictObject({ id: z.uuid() }))`
    SELECT id FROM organization WHERE personal_for = ${personId}
  `);
