import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { ORGANIZATION_ROLES } from '#domain/permissions.ts';
import { Id, Timestamp } from '../schema.ts';

/** An organization of the caller's, as it is stored, with their role in it. */
export const OrganizationRow = z.strictObject({
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  personal: z.boolean(),
  role: z.enum(ORGANIZATION_ROLES),
  created_at: z.date(),
});
export type OrganizationRow = z.infer<typeof OrganizationRow>;

/** An organization, as one of its users sees it. */
export const Organization = z
  .strictObject({
    id: Id('organization'),
    slug: z.string(),
    name: z.string(),
    personal: z.boolean().describe('Whether it is somebody’s private organization.'),
    role: z.enum(ORGANIZATION_ROLES).describe('What the caller is in it.'),
    created_at: Timestamp,
  })
  .meta({ id: 'Organization' });
export type Organization = z.infer<typeof Organization>;

/** The public form of an organization. */
export const toOrganization = (row: OrganizationRow): Organization => ({
  ...row,
  id: formatId('organization', row.id),
  created_at: row.created_at.toISOString(),
});
