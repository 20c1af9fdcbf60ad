import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { ORGANIZATION_ROLES } from '#domain/permissions.ts';
import { PageQuery } from '../cursor.ts';
import { ConnectorName, ConnectorSubject, Id, Reference, Timestamp } from '../schema.ts';

/** A user of an organization as stored. */
export const OrganizationUserRow = z.strictObject({
  person_id: z.uuid(),
  display_name: z.string(),
  role: z.enum(ORGANIZATION_ROLES),
  signed_in: z.boolean(),
  version: z.int(),
  created_at: z.date(),
});
export type OrganizationUserRow = z.infer<typeof OrganizationUserRow>;

const OrganizationRole = z
  .enum(ORGANIZATION_ROLES)
  .describe(
    'owner: everything, deletion and owners included. admin: users and the life of workspaces. billing: reads. None of them opens a workspace.',
  )
  .meta({ id: 'OrganizationRole' });

/** A person with a role in an organization. */
export const OrganizationUser = z
  .strictObject({
    id: Id('person').describe('The person’s.'),
    display_name: z.string(),
    role: OrganizationRole,
    signed_in: z
      .boolean()
      .describe('Whether they have signed in; an owner who never has doesn’t count as one.'),
    created_at: Timestamp.describe('Since when they are a user of it.'),
  })
  .meta({ id: 'OrganizationUser' });
export type OrganizationUser = z.infer<typeof OrganizationUser>;

/** The public form of a user of an organization. */
export const toOrganizationUser = (row: OrganizationUserRow): OrganizationUser => ({
  id: formatId('person', row.person_id),
  display_name: row.display_name,
  role: row.role,
  signed_in: row.signed_in,
  created_at: row.created_at.toISOString(),
});

/** Which users of an organization are listed. */
export const OrganizationUserQuery = z.strictObject({
  ...PageQuery.shape,
  role: z.enum(ORGANIZATION_ROLES).optional().describe('Only those with this role.'),
});

/** Who becomes a user of an organization: by the identity they sign in with, or by their id. */
export const AddOrganizationUser = z
  .strictObject({
    connector: ConnectorName.optional().describe('The identity provider: one of the connectors.'),
    subject: ConnectorSubject.optional().describe(
      'Who they are to that identity provider, to the byte; they needn’t have signed in before.',
    ),
    person: Reference('person')
      .optional()
      .describe('Instead: someone of a workspace or an organization that you are in.'),
    role: OrganizationRole,
  })
  .refine(
    ({ connector, subject, person }) =>
      (connector === undefined) === (subject === undefined) &&
      (connector === undefined) !== (person === undefined),
    'Give either connector and subject, or person.',
  )
  .meta({
    id: 'AddOrganizationUser',
    oneOf: [
      { required: ['connector', 'subject'], not: { required: ['person'] } },
      {
        required: ['person'],
        not: { anyOf: [{ required: ['connector'] }, { required: ['subject'] }] },
      },
    ],
    examples: [
      { connector: 'github', subject: '583231', role: 'admin' },
      { person: 'usr_01k3v7c4h8e2f9r5t6y7z8a9bc', role: 'billing' },
    ],
  });
export type AddOrganizationUser = z.infer<typeof AddOrganizationUser>;

/** Another role for a user of an organization. */
export const UpdateOrganizationUser = z
  .strictObject({ role: OrganizationRole })
  .meta({ id: 'UpdateOrganizationUser', examples: [{ role: 'admin' }] });

/** Who becomes owner in the caller's place. */
export const TransferOrganization = z
  .strictObject({
    to: Reference('person').describe('A user of the organization, with any role.'),
  })
  .meta({
    id: 'TransferOrganization',
    examples: [{ to: 'usr_01k3v7c4h8e2f9r5t6y7z8a9bc' }],
  });
