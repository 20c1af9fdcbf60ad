import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { PageQuery } from '../cursor.ts';
import {
  ConnectorName,
  ConnectorSubject,
  FutureTimestamp,
  Id,
  MappingId,
  Timestamp,
  tokenTimes,
} from '../schema.ts';

/** A direct membership as JSON in a row. */
const ThroughRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  mapping_id: z.uuid().nullable(),
});

/** A member of a group as listed: who it is, and the direct memberships that make it one. */
export const GroupMemberRow = z.strictObject({
  member_id: z.uuid(),
  /** A service account's; a person has none. */
  name: z.string().nullable(),
  display_name: z.string(),
  through: z.array(ThroughRow).min(1),
});
export type GroupMemberRow = z.infer<typeof GroupMemberRow>;

const ExpiresAt = Timestamp.nullable().describe(
  'When it ends by itself; null: it holds for good. Tokens issued before then may work for some two minutes longer.',
);

const Through = z
  .strictObject({ id: Id('group'), name: z.string(), expires_at: ExpiresAt, mapping: MappingId })
  .meta({ id: 'DirectMembership' });

const membership = {
  created_at: Timestamp.describe('Since when it is in the group.'),
  expires_at: ExpiresAt,
  through: z
    .array(Through)
    .describe('The groups it was put into, which are this one or below it; it is in this by them.'),
};

/** A person in a group. */
export const GroupMember = z
  .strictObject({
    id: Id('person').describe('The person’s.'),
    display_name: z.string(),
    ...membership,
  })
  .meta({ id: 'GroupMember' });
export type GroupMember = z.infer<typeof GroupMember>;

/** A service account in a group. */
export const GroupServiceAccount = z
  .strictObject({
    id: Id('serviceAccount').describe('The service account’s.'),
    name: z.string(),
    display_name: z.string(),
    ...membership,
  })
  .meta({ id: 'GroupServiceAccount' });
export type GroupServiceAccount = z.infer<typeof GroupServiceAccount>;

/** The public form of a person in a group. */
export const toGroupMember = (row: GroupMemberRow): GroupMember => ({
  id: formatId('person', row.member_id),
  display_name: row.display_name,
  ...toMembership(row),
});

/** The public form of a service account in a group. */
export const toGroupServiceAccount = (row: GroupMemberRow): GroupServiceAccount => ({
  id: formatId('serviceAccount', row.member_id),
  name: row.name ?? '',
  display_name: row.display_name,
  ...toMembership(row),
});

const toIso = (text: string): string => new Date(text).toISOString();

/** Of several ways into a group the first began it, and the last ends it. */
const toMembership = ({ through }: GroupMemberRow) => {
  const ends = through.map((each) => each.expires_at && toIso(each.expires_at));
  const isForGood = ends.includes(null);
  return {
    created_at: through.map((each) => toIso(each.created_at)).toSorted()[0] ?? '',
    expires_at: isForGood ? null : (ends.toSorted().at(-1) ?? null),
    through: through.map(({ id, name, mapping_id }, index) => ({
      id: formatId('group', id),
      name,
      expires_at: ends[index] ?? null,
      mapping: mapping_id && formatId('groupMapping', mapping_id),
    })),
  };
};

/** Which members of a group are listed. */
export const GroupMemberQuery = z.strictObject({
  ...PageQuery.shape,
  effective: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Whether members of the groups below it are listed as well, as tokens have it.'),
});

const NewExpiry = FutureTimestamp.nullable()
  .optional()
  .describe(
    'When the membership ends by itself; null: it holds for good. Left out: as it was, or for good when it is new.',
  );

/** How long a membership holds; all of it may be left out. */
export const SetMembership = z
  .strictObject({ expires_at: NewExpiry })
  .meta({ id: 'SetMembership', examples: [{ expires_at: '2030-01-31T17:00:00Z' }] })
  .optional();
export type SetMembership = z.infer<typeof SetMembership>;

/** Who is put into a group, by the identity they sign in with. */
export const AddIdentity = z
  .strictObject({
    connector: ConnectorName.describe('The identity provider: one of the connectors.'),
    subject: ConnectorSubject.describe('Who they are to that identity provider, to the byte.'),
    expires_at: NewExpiry,
  })
  .meta({
    id: 'AddIdentity',
    examples: [{ connector: 'github', subject: '583231', expires_at: '2030-01-31T17:00:00Z' }],
  });

/** A person who was put into a group, and when it shows in tokens. */
export const GroupMemberAdded = z
  .strictObject({ member: GroupMember, ...tokenTimes })
  .meta({ id: 'GroupMemberAdded' });

/** A service account that was put into a group, and when it shows in tokens. */
export const GroupServiceAccountAdded = z
  .strictObject({ member: GroupServiceAccount, ...tokenTimes })
  .meta({ id: 'GroupServiceAccountAdded' });
