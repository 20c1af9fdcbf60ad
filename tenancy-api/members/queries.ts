import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven, isCurrent } from '#database/condition.ts';
import { DIRECT_MEMBERSHIPS, type MemberKind } from '#database/effective-groups.ts';
import { createId } from '#domain/identifiers.ts';
import { type SortedPageRequest, toOrder } from '../cursor.ts';
import { DirectGroupRow, MemberRow } from './schema.ts';

/** The members of a workspace, in the order asked for; by the beginning of their names. */
export const listMembers = (
  db: CommonQueryMethods,
  { workspaceId, search }: { readonly workspaceId: string; readonly search: string | null },
  page: SortedPageRequest,
): Promise<readonly MemberRow[]> => {
  const columns = { id: sql.fragment`m.person_id`, name: sql.fragment`p.display_name` };
  const { isAfter, orderBy } = toOrder(page, columns);
  const isFound = ifGiven(
    search,
    (text) => sql.fragment`starts_with(lower(p.display_name), lower(${text}::text))`,
  );
  return db.any(sql.type(MemberRow)`
    SELECT m.person_id, p.display_name, m.created_at
    FROM workspace_member m
    JOIN person p ON p.id = m.person_id
    WHERE m.workspace_id = ${workspaceId} AND ${isFound} AND ${isAfter}
    ORDER BY ${orderBy}
    LIMIT ${page.take}
  `);
};

/** A member of a workspace. */
export const findMember = (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<MemberRow | null> =>
  db.maybeOne(sql.type(MemberRow)`
    SELECT m.person_id, p.display_name, m.created_at
    FROM workspace_member m
    JOIN person p ON p.id = m.person_id
    WHERE m.workspace_id = ${workspaceId} AND m.person_id = ${personId}
  `);

/** The groups that a person or a service account was put into, by name. */
export const listDirectGroups = (
  db: CommonQueryMethods,
  workspaceId: string,
  { kind, memberId }: { readonly kind: MemberKind; readonly memberId: string },
): Promise<readonly DirectGroupRow[]> =>
  db.any(sql.type(DirectGroupRow)`
    SELECT g.id, g.name, m.expires_at, ${DIRECT_MEMBERSHIPS[kind].mapping} AS mapping_id
    FROM ${DIRECT_MEMBERSHIPS[kind].table} m
    JOIN workspace_group g ON g.workspace_id = m.workspace_id AND g.id = m.group_id
    WHERE m.workspace_id = ${workspaceId} AND m.${DIRECT_MEMBERSHIPS[kind].member} = ${memberId}
      AND ${isCurrent(sql.fragment`m`)}
    ORDER BY g.name COLLATE "C", mapping_id NULLS FIRST
  `);

/** Whether the caller can see a person: someone of their workspaces or organizations. */
export const isPersonVisible = (db: CommonQueryMethods, personId: string): Promise<boolean> =>
  db.exists(sql.type(z.strictObject({}))`
    SELECT FROM person
    WHERE id = ${personId}
  `);

/**
 * Makes a workspace's creator its first member. Row-level security shows them nothing of it before
 * this statement has ended, so it can neither return the row nor look for a conflict.
 */
export const insertFirstMember = async (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    INSERT INTO workspace_member (workspace_id, person_id)
    VALUES (${workspaceId}, ${personId})
  `);
};

/** Makes people direct members of a workspace; returns those who weren't. */
export const insertMembers = (
  db: CommonQueryMethods,
  workspaceId: string,
  personIds: readonly string[],
): Promise<readonly string[]> =>
  db.anyFirst(sql.type(z.strictObject({ person_id: z.uuid() }))`
    INSERT INTO workspace_member AS m (workspace_id, person_id)
    SELECT ${workspaceId}, person_id
    FROM ${sql.unnest(
      personIds.map((personId) => [personId]),
      ['uuid'],
    )} AS n (person_id)
    ON CONFLICT ON CONSTRAINT workspace_member__workspace_id_person_id__pkey DO UPDATE
    SET direct = true
    WHERE NOT m.direct
    RETURNING m.person_id
  `);

/** Ends a membership of a workspace and of all its groups. */
export const deleteMember = async (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    DELETE FROM workspace_member
    WHERE workspace_id = ${workspaceId} AND person_id = ${personId}
  `);
};

const ProvisionedRow = z.strictObject({ subject: z.string(), person_id: z.uuid() });

/**
 * The people behind identities of one connector, made where they aren't known yet: whoever signs in
 * with such an identity later is that person.
 *
 * @param subjects each once
 * @returns subject → person (UUID)
 */
export const provisionPeople = async (
  db: CommonQueryMethods,
  connector: string,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const ids = subjects.map(() => createId());
  const rows = await db.any(sql.type(ProvisionedRow)`
    SELECT subject, person_id
    FROM provision_people(${connector}, ${sql.array(subjects, 'text')}, ${sql.array(ids, 'uuid')})
  `);
  return new Map(rows.map((row) => [row.subject, row.person_id]));
};
