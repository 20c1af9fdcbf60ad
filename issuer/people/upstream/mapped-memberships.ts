/** The memberships that follow from upstream groups: as the mappings of workspaces say, row by row. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { MEMBERSHIP_RECORDS, recordAudit } from '#database/changes.ts';
import { formatId } from '#domain/identifiers.ts';
import type { SignInContext } from '../../http/request.ts';

const Nothing = z.strictObject({});

const ChangedRow = z.strictObject({
  organization_id: z.uuid(),
  workspace_id: z.uuid(),
  group_id: z.uuid(),
  mapping_id: z.uuid(),
});
type ChangedRow = z.infer<typeof ChangedRow>;

/**
 * Brings a person's mapped memberships in line with what providers said last of all their identities, and
 * records each change. Direct memberships are never touched. Call it in the transaction that stores
 * what was said.
 *
 * @param personId UUID
 * @returns how many memberships came and went
 */
export const bringMembershipsInLine = async (
  db: CommonQueryMethods,
  personId: string,
  context: SignInContext,
): Promise<{ readonly added: number; readonly removed: number }> => {
  await lockMemberships(db, personId);
  const removed = await deleteUnmapped(db, personId);
  await insertMembers(db, personId);
  const added = await insertMapped(db, personId);
  const who = { personId, context };
  for (const row of removed) await record(db, row, { ...who, verb: 'remove' });
  for (const row of added) await record(db, row, { ...who, verb: 'add' });
  return { added: added.length, removed: removed.length };
};

/**
 * What is said of two of a person's identities at once is brought in line one after the other: else each would
 * give again what the other, not committed yet, has just taken.
 */
const lockMemberships = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(z.unknown())`
    SELECT pg_advisory_xact_lock(hashtextextended('mapped_memberships:' || ${personId}::text, 0))
  `);
};

/** The mappings that concern a person. */
const wanted = (personId: string) => sql.fragment`
  SELECT g.id, g.workspace_id, g.group_id
  FROM upstream_account u
  JOIN group_mapping g ON g.connector = u.connector AND g.upstream_group = ANY (u.groups)
  WHERE u.person_id = ${personId}::uuid
`;

const deleteUnmapped = (db: CommonQueryMethods, personId: string): Promise<readonly ChangedRow[]> =>
  db.any(sql.type(ChangedRow)`
    DELETE FROM group_member m
    USING workspace w
    WHERE m.person_id = ${personId}::uuid AND m.mapping_id IS NOT NULL AND w.id = m.workspace_id
      AND m.mapping_id NOT IN (SELECT id FROM (${wanted(personId)}) g)
    RETURNING w.organization_id, m.workspace_id, m.group_id, m.mapping_id
  `);

const insertMembers = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO workspace_member (workspace_id, person_id, direct)
    SELECT DISTINCT g.workspace_id, ${personId}::uuid, false FROM (${wanted(personId)}) g
    ON CONFLICT DO NOTHING
  `);
};

const insertMapped = (db: CommonQueryMethods, personId: string): Promise<readonly ChangedRow[]> =>
  db.any(sql.type(ChangedRow)`
    WITH added AS (
      INSERT INTO group_member (workspace_id, person_id, group_id, mapping_id)
      SELECT DISTINCT g.workspace_id, ${personId}::uuid, g.group_id, g.id
      FROM (${wanted(personId)}) g
      ON CONFLICT DO NOTHING
      RETURNING workspace_id, group_id, mapping_id
    )
    SELECT w.organization_id, a.workspace_id, a.group_id, a.mapping_id
    FROM added a
    JOIN workspace w ON w.id = a.workspace_id
  `);

type Change = {
  readonly personId: string;
  readonly context: SignInContext;
  readonly verb: 'add' | 'remove';
};

/** Nobody is named as who did it: what the provider says did. */
const record = (
  db: CommonQueryMethods,
  row: ChangedRow,
  { personId, context, verb }: Change,
): Promise<void> => {
  const { action, member } = MEMBERSHIP_RECORDS.person;
  const detail = { [member]: personId, mapping: formatId('groupMapping', row.mapping_id) };
  return recordAudit(db, {
    organizationId: row.organization_id,
    workspaceId: row.workspace_id,
    actorId: null,
    action: `${action}.${verb}`,
    targetId: row.group_id,
    ...(verb === 'add' ? { after: detail } : { before: detail }),
    ...context,
  });
};
