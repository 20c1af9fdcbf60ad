import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { Organization } from '../organizations/schema.ts';
import { Id, Timestamp } from '../schema.ts';

/** The caller as they are stored. */
export const MeRow = z.strictObject({
  id: z.uuid(),
  display_name: z.string(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  created_at: z.date(),
});
export type MeRow = z.infer<typeof MeRow>;

/** The caller. */
export const Me = z
  .strictObject({
    id: Id('person'),
    display_name: z.string(),
    email: z.string().nullable(),
    email_verified: z.boolean(),
    created_at: Timestamp,
    platform_admin: z.boolean().describe('Whether they administer the platform: its plans.'),
    organizations: z.array(Organization).describe('The first 500, with the role in each.'),
  })
  .meta({ id: 'Me' });

/** The public form of the caller. */
export const toMe = (
  row: MeRow,
  organizations: z.infer<typeof Organization>[],
  platformAdmin: boolean,
): z.infer<typeof Me> => ({
  ...row,
  id: formatId('person', row.id),
  created_at: row.created_at.toISOString(),
  platform_admin: platformAdmin,
  organizations,
});
