import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { ORGANIZATION_ROLES } from '#domain/permissions.ts';
import { DisplayName, Id, Timestamp } from '../schema.ts';

/**
 * Part of addresses and of names in kubeconfigs: a DNS label, as long as those that sign-up makes for
 * private organizations.
 */
const OrganizationSlug = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$/,
    'A slug has 1 to 50 lower-case ASCII letters, digits or "-", and starts and ends with a letter or digit.',
  );

/** What an organization is made from. */
export const CreateOrganization = z
  .strictObject({
    name: DisplayName,
    slug: OrganizationSlug.optional().describe(
      'Unique among all organizations; made from the name.',
    ),
  })
  .meta({ id: 'CreateOrganization', examples: [{ name: 'Acme', slug: 'acme' }] });
export type CreateOrganization = z.infer<typeof CreateOrganization>;

/** What of an organization can be changed in place. */
export const UpdateOrganization = z
  .strictObject({
    name: DisplayName.optional(),
    slug: OrganizationSlug.optional().describe(
      'Kubeconfigs that were downloaded before keep the old one as a name, and keep working.',
    ),
  })
  .meta({ id: 'UpdateOrganization', examples: [{ name: 'Acme Industries' }] });
export type UpdateOrganization = z.infer<typeof UpdateOrganization>;

/** An organization of the caller's, as it is stored, with their role in it. */
export const OrganizationRow = z.strictObject({
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  personal_for: z.uuid().nullable(),
  role: z.enum(ORGANIZATION_ROLES),
  version: z.int(),
  delete_after: z.date().nullable(),
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
    delete_after: Timestamp.nullable().describe(
      'When it goes for good, if it is being deleted; until then it can be restored.',
    ),
    created_at: Timestamp,
  })
  .meta({ id: 'Organization' });
export type Organization = z.infer<typeof Organization>;

/** The public form of an organization. */
export const toOrganization = (row: OrganizationRow): Organization => ({
  id: formatId('organization', row.id),
  slug: row.slug,
  name: row.name,
  personal: row.personal_for !== null,
  role: row.role,
  delete_after: row.delete_after?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
});
