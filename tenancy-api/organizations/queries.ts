import { type CommonQueryMethods, sql } from 'slonik';
import type { PageRequest } from '../cursor.ts';
import { OrganizationRow } from './schema.ts';

/** The organizations that a person is a user of, by id. */
export const listOrganizations = (
  db: CommonQueryMethods,
  personId: string,
  { after, take }: PageRequest,
): Promise<readonly OrganizationRow[]> =>
  db.any(sql.type(OrganizationRow)`
    SELECT o.id, o.slug, o.name, o.personal_for IS NOT NULL AS personal, u.role, o.created_at
    FROM organization_user u
    JOIN organization o ON o.id = u.organization_id
    WHERE u.person_id = ${personId} AND (${after}::uuid IS NULL OR o.id > ${after}::uuid)
    ORDER BY o.id
    LIMIT ${take}
  `);

/** An organization, with what a person is in it; throws slonik's NotFoundError when nothing. */
export const getOrganization = (
  db: CommonQueryMethods,
  organizationId: string,
  personId: string,
): Promise<OrganizationRow> =>
  db.one(sql.type(OrganizationRow)`
    SELECT o.id, o.slug, o.name, o.personal_for IS NOT NULL AS personal, u.role, o.created_at
    FROM organization_user u
    JOIN organization o ON o.id = u.organization_id
    WHERE u.person_id = ${personId} AND o.id = ${organizationId}
  `);
