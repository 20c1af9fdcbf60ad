import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { SortedPageQuery } from '../cursor.ts';
import { Id, MappingId, Timestamp } from '../schema.ts';

/** A person in a workspace, as they are stored, and since when. */
export const MemberRow = z.strictObject({
  person_id: z.uuid(),
  display_name: z.string(),
  created_at: z.date(),
});
export type MemberRow = z.infer<typeof MemberRow>;

/** A person in a workspace. */
export const Member = z
  .strictObject({
    id: Id('person').describe('The person’s.'),
    display_name: z.string(),
    created_at: Timestamp.describe('Since when they are in it.'),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

/** The public form of a member. */
export const toMember = (row: MemberRow): Member => ({
  id: formatId('person', row.person_id),
  display_name: row.display_name,
  created_at: row.created_at.toISOString(),
});

/** Which members are listed. */
export const MemberQuery = SortedPageQuery.extend({
  search: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\0]*$/, 'It can’t hold U+0000.')
    .optional()
    .describe('Only those whose display name begins so, in any case.'),
});

/** A group that a person or a service account was put into, and until when. */
export const DirectGroupRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  expires_at: z.date().nullable(),
  mapping_id: z.uuid().nullable(),
});
export type DirectGroupRow = z.infer<typeof DirectGroupRow>;

/** A group by id and name. */
export const GroupReference = z
  .strictObject({ id: Id('group'), name: z.string() })
  .meta({ id: 'GroupReference' });

const DirectGroup = z
  .strictObject({
    ...GroupReference.shape,
    expires_at: Timestamp.nullable().describe('When the membership ends; null: it holds for good.'),
    mapping: MappingId,
  })
  .meta({ id: 'DirectGroup' });

/** The groups that a person or a service account was put into and those it is in by the tree. */
export const groupsShape = {
  direct_groups: z.array(DirectGroup),
  effective_groups: z.array(GroupReference).describe('What their tokens carry.'),
};

/** The public form of the groups of a person or a service account. */
export const toGroups = (
  direct: readonly DirectGroupRow[],
  effective: readonly { readonly id: string; readonly name: string }[],
) => ({
  direct_groups: direct.map((row) => ({
    ...toGroupReference(row),
    expires_at: row.expires_at?.toISOString() ?? null,
    mapping: row.mapping_id && formatId('groupMapping', row.mapping_id),
  })),
  effective_groups: effective.map(toGroupReference),
});

/** The public form of a group reference. */
export const toGroupReference = (row: { readonly id: string; readonly name: string }) => ({
  id: formatId('group', row.id),
  name: row.name,
});

/** A member with their groups. */
export const MemberDetail = z
  .strictObject({ ...Member.shape, ...groupsShape })
  .meta({ id: 'MemberDetail' });
