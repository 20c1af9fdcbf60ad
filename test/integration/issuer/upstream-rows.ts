/** Mappings of upstream groups, and what providers said of people some time ago. */
import { createId } from '#domain/identifiers.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { TestWorkspace } from './tenancy-rows.ts';

/** Maps a group of the connector `corp` to a group; nobody is made a member yet. Answers its id (UUID). */
export const mapGroup = async (
  { query }: TestDatabase,
  workspace: TestWorkspace,
  mapping: { readonly group: string; readonly upstream: string; readonly connector?: string },
): Promise<string> => {
  const id = createId();
  await query(
    `INSERT INTO group_mapping (id, workspace_id, group_id, connector, upstream_group)
     VALUES ($1, $2, $3, $4, $5)`,
    [id, workspace.id, mapping.group, mapping.connector ?? 'corp', mapping.upstream],
  );
  return id;
};

/** Lets time go by since the provider was asked about someone: six minutes, or more. */
export const letTimePass = async (
  { query }: TestDatabase,
  subject: string,
  minutes = 6,
): Promise<void> => {
  await query(
    `UPDATE upstream_account
     SET seen_at = now() - make_interval(mins => $2), look_at = now() - interval '1 second'
     WHERE subject = $1`,
    [subject, minutes],
  );
};

/** The memberships of whoever has this subject in groups: their names, and whether by a mapping. */
export const membershipsOf = async (
  { query }: TestDatabase,
  workspace: TestWorkspace,
  subject: string,
): Promise<readonly string[]> => {
  const rows = await query<{ text: string }>(
    `SELECT g.name || CASE WHEN m.mapping_id IS NULL THEN '' ELSE ' (mapped)' END AS text
     FROM identity i
     JOIN group_member m ON m.person_id = i.person_id
     JOIN workspace_group g ON g.id = m.group_id
     WHERE i.subject = $1 AND m.workspace_id = $2 ORDER BY 1`,
    [subject, workspace.id],
  );
  return rows.map(({ text }) => text);
};

/** Whether a member of the workspace, and whether somebody made them one. */
export const memberOf = async (
  { query }: TestDatabase,
  workspace: TestWorkspace,
  subject: string,
): Promise<'direct' | 'mapped' | undefined> => {
  const [row] = await query<{ direct: boolean }>(
    `SELECT w.direct FROM identity i JOIN workspace_member w ON w.person_id = i.person_id
     WHERE i.subject = $1 AND w.workspace_id = $2`,
    [subject, workspace.id],
  );
  return row && (row.direct ? 'direct' : 'mapped');
};
