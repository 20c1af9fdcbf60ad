import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { ConnectorName, ConnectorSubject, Id, Timestamp, tokenTimes } from '../schema.ts';

/** A mapping as it is stored, with how many it makes members. */
export const GroupMappingRow = z.strictObject({
  id: z.uuid(),
  connector: z.string(),
  upstream_group: z.string(),
  created_by: z.uuid().nullable(),
  created_at: z.date(),
  members: z.int(),
});
export type GroupMappingRow = z.infer<typeof GroupMappingRow>;

/** Whoever is in the upstream group is in the workspace and in this group. */
export const GroupMapping = z
  .strictObject({
    id: Id('groupMapping'),
    connector: z.string().describe('The identity provider that tells the upstream group.'),
    upstream_group: z.string().describe('Its name there; members of groups below it count.'),
    members: z.int().describe('How many people it makes members just now.'),
    created_by: Id('person').nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'GroupMapping' });
export type GroupMapping = z.infer<typeof GroupMapping>;

/** The public form of a mapping. */
export const toGroupMapping = (row: GroupMappingRow): GroupMapping => ({
  ...row,
  id: formatId('groupMapping', row.id),
  created_by: row.created_by && formatId('person', row.created_by),
  created_at: row.created_at.toISOString(),
});

/** Which upstream group makes members. */
export const CreateGroupMapping = z
  .strictObject({
    connector: ConnectorName.describe('One of the connectors that provide groups.'),
    upstream_group: ConnectorSubject.describe(
      'The group’s name as the provider tells it, to the byte: a team is `organization/team`. You must be in it yourself.',
    ),
  })
  .meta({
    id: 'CreateGroupMapping',
    examples: [{ connector: 'github', upstream_group: 'acme/platform' }],
  });
export type CreateGroupMapping = z.infer<typeof CreateGroupMapping>;

/** A mapping that was made, and when what it gives shows in tokens. */
export const GroupMappingCreated = z
  .strictObject({ group_mapping: GroupMapping, ...tokenTimes })
  .meta({ id: 'GroupMappingCreated' });
