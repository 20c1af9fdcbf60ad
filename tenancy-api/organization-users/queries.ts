import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { OrganizationRole } from '#domain/permissions.ts';
import type { PageRequest } from '../cursor.ts';
import { OrganizationUserRow } from './schema.ts';

const Nothing = z.strictObject({});

/** Someone in an organization. UUIDs. */
export type OrganizationUserKey = {
  readonly organizationId: string;
  readonly personId: string;
};

const userColumns = sql.fragment`
  u.person_id, p.display_name, u.role, p.first_signed_in_at IS NOT NULL AS signed_in,
  u.version, u.created_at`;

/** The users of an organization, by the person's id; all roles by `null`. */
export const listUsers = (
  db: CommonQueryMethods,
  filter: { readonly organizationId: string; readonly role: OrganizationRole | null },
  { after, take }: PageRequest,
): Promise<readonly OrganizationUserRow[]> =>
  db.any(sql.type(OrganizationUserRow)`
    SELECT ${userColumns}
    FROM organization_user u
    JOIN person p ON p.id = u.person_id
    WHERE u.organization_id = ${filter.organizationId}
      AND ${ifGiven(filter.role, (wanted) => sql.fragment`u.role = ${wanted}::text`)}
      AND ${ifGiven(after, (last) => sql.fragment`u.person_id > ${last}::uuid`)}
    ORDER BY u.person_id
    LIMIT ${take}
  `);

/** A user of an organization. */
export const findUser = (
  db: CommonQueryMethods,
  { organizationId, personId }: OrganizationUserKey,
): Promise<OrganizationUserRow | null> =>
  db.maybeOne(sql.type(OrganizationUserRow)`
    SELECT ${userColumns}
    FROM organization_user u
    JOIN person p ON p.id = u.person_id
    WHERE u.organization_id = ${organizationId} AND u.person_id = ${personId}
  `);

/** Makes a person a user of an organization; its primary key speaks when they are one already. */
export const insertUser = async (
  db: CommonQueryMethods,
  { organizationId, personId }: OrganizationUserKey,
  role: OrganizationRole,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO organization_user (organization_id, person_id, role)
    VALUES (${organizationId}, ${personId}, ${role})
  `);
};

/** Gives a user of an organization another role. */
export const updateRole = async (
  db: CommonQueryMethods,
  { organizationId, personId }: OrganizationUserKey,
  role: OrganizationRole,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE organization_user
    SET role = ${role}, version = version + 1, updated_at = now()
    WHERE organization_id = ${organizationId} AND person_id = ${personId}
  `);
};

/** Takes a person's role in an organization away. */
export const deleteUser = async (
  db: CommonQueryMethods,
  { organizationId, personId }: OrganizationUserKey,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM organization_user
    WHERE organization_id = ${organizationId} AND person_id = ${personId}
  `);
};

/**
 * Whether an organization has an owner who can act as one: not suspended, and signed in before.
 *
 * @param leaving a person (UUID) who doesn't count
 */
export const hasActiveOwner = (
  db: CommonQueryMethods,
  organizationId: string,
  leaving: string | null,
): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT
    FROM organization_user u
    JOIN person p ON p.id = u.person_id AND p.suspended_at IS NULL AND p.first_signed_in_at IS NOT NULL
    WHERE u.organization_id = ${organizationId} AND u.role = 'owner'
      AND u.person_id IS DISTINCT FROM ${leaving}::uuid
  `);
