import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { SortedPageQuery } from '../cursor.ts';
import { groupsShape } from '../members/schema.ts';
import { DisplayName, Id, Timestamp } from '../schema.ts';

/** A service account as it is stored. */
export const ServiceAccountRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  display_name: z.string(),
  created_by: z.uuid().nullable(),
  version: z.int(),
  created_at: z.date(),
  updated_at: z.date(),
});
export type ServiceAccountRow = z.infer<typeof ServiceAccountRow>;

/** RFC 1123 §2.1, in lower case. */
const Name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'A service account’s name has 1 to 63 lower-case letters, digits or "-", and starts and ends with a letter or digit. Use display_name for anything else.',
  );

/**
 * A machine of the workspace. It is put into groups as people are, WSAdmins among them; it never
 * signs in to this API, and a workspace needs a person as admin beside it.
 */
export const ServiceAccount = z
  .strictObject({
    id: Id('serviceAccount'),
    name: z.string().describe('Unique in the workspace; never changes.'),
    display_name: z.string(),
    created_by: Id('person').nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: 'ServiceAccount' });
export type ServiceAccount = z.infer<typeof ServiceAccount>;

/** The public form of a service account. */
export const toServiceAccount = (row: ServiceAccountRow): ServiceAccount => ({
  id: formatId('serviceAccount', row.id),
  name: row.name,
  display_name: row.display_name,
  created_by: row.created_by === null ? null : formatId('person', row.created_by),
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});

/** A service account with its groups. */
export const ServiceAccountDetail = z
  .strictObject({ ...ServiceAccount.shape, ...groupsShape })
  .meta({ id: 'ServiceAccountDetail' });
export type ServiceAccountDetail = z.infer<typeof ServiceAccountDetail>;

/** Which service accounts are listed. */
export const ServiceAccountQuery = z.strictObject({
  ...SortedPageQuery.shape,
  name: z.string().max(100).optional().describe('Only the one of exactly this name.'),
});

/** What a service account is made from. */
export const CreateServiceAccount = z
  .strictObject({
    name: Name,
    display_name: DisplayName.optional().describe('The name, unless given.'),
  })
  .meta({
    id: 'CreateServiceAccount',
    examples: [{ name: 'deploy-bot', display_name: 'Deploys the web shop' }],
  });
export type CreateServiceAccount = z.infer<typeof CreateServiceAccount>;

/** What of a service account can change. */
export const UpdateServiceAccount = z
  .strictObject({ display_name: DisplayName })
  .meta({ id: 'UpdateServiceAccount', examples: [{ display_name: 'Deploys everything' }] });
export type UpdateServiceAccount = z.infer<typeof UpdateServiceAccount>;
