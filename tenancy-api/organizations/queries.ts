import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import type { PageRequest } from '../cursor.ts';
import { OrganizationRow } from './schema.ts';

const Nothing = z.strictObject({});

const organizationColumns = sql.fragment`
  o.id, o.slug, o.name, o.personal_for, u.role, o.version, o.delete_after, o.created_at`;

/** The organizations that a person is a user of, by id. */
export const listOrganizations = (
  db: CommonQueryMethods,
  personId: string,
  { after, take }: PageRequest,
): Promise<readonly OrganizationRow[]> =>
  db.any(sql.type(OrganizationRow)`
    SELECT ${organizationColumns}
    FROM organization_user u
    JOIN organization o ON o.id = u.organization_id
    WHERE u.person_id = ${personId}
      AND ${ifGiven(after, (last) => sql.fragment`u.organization_id > ${last}::uuid`)}
    ORDER BY u.organization_id
    LIMIT ${take}
  `);

/** An organization, with what a person is in it; nothing when they are nothing there. */
export const findOrganization = (
  db: CommonQueryMethods,
  organizationId: string,
  personId: string,
): Promise<OrganizationRow | null> =>
  db.maybeOne(sql.type(OrganizationRow)`
    SELECT ${organizationColumns}
    FROM organization_user u
    JOIN organization o ON o.id = u.organization_id
    WHERE u.person_id = ${personId} AND o.id = ${organizationId}
  `);

/**
 * A new organization; its constraint on slugs speaks when the slug is taken. Row-level security shows
 * it to nobody before it has a user, so the statement can't return the row.
 */
export const insertOrganization = async (
  db: CommonQueryMethods,
  organization: {
    readonly id: string;
    readonly slug: string;
    readonly name: string;
    readonly createdBy: string;
  },
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO organization (id, slug, name, created_by)
    VALUES (
      ${organization.id}, ${organization.slug}, ${organization.name}, ${organization.createdBy}
    )
  `);
};

/** Makes a person's organizations one after the other, until the transaction ends. */
export const lockOrganizationsOf = async (
  db: CommonQueryMethods,
  personId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    SELECT FROM pg_advisory_xact_lock(hashtextextended('organizations:' || ${personId}, 0))
  `);
};

/** How many organizations the caller has made that are still there, whoever owns them now. */
export const countMadeOrganizations = (db: CommonQueryMethods): Promise<number> =>
  db.oneFirst(sql.type(z.strictObject({ count: z.int() }))`
    SELECT count_organizations_i_made() AS count
  `);

/** Renames an organization; its constraint on slugs speaks when the slug is taken. */
export const renameOrganization = async (
  db: CommonQueryMethods,
  organization: { readonly id: string; readonly slug: string; readonly name: string },
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE organization
    SET slug = ${organization.slug}, name = ${organization.name}, version = version + 1,
      updated_at = now()
    WHERE id = ${organization.id}
  `);
};
