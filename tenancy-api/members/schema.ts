import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { Id, Timestamp, tokenTimes } from '../schema.ts';

/** A person in a workspace or a group, as they are stored, and since when. */
export const MemberRow = z.strictObject({
  person_id: z.uuid(),
  display_name: z.string(),
  email: z.string().nullable(),
  created_at: z.date(),
});
export type MemberRow = z.infer<typeof MemberRow>;

/** A person in a workspace or a group. */
export const Member = z
  .strictObject({
    id: Id('person').describe('The person’s.'),
    display_name: z.string(),
    email: z.string().nullable(),
    created_at: Timestamp.describe('Since when they are in it.'),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

/** The public form of a member. */
export const toMember = (row: MemberRow): Member => ({
  id: formatId('person', row.person_id),
  display_name: row.display_name,
  email: row.email,
  created_at: row.created_at.toISOString(),
});

const GroupReference = z
  .strictObject({ id: Id('group'), name: z.string() })
  .meta({ id: 'GroupReference' });

/** A member with the groups they were put into and those they are in by the tree. */
export const MemberDetail = z
  .strictObject({
    ...Member.shape,
    direct_groups: z.array(GroupReference),
    effective_groups: z.array(GroupReference).describe('What their tokens carry.'),
  })
  .meta({ id: 'MemberDetail' });

/** The public form of a group reference. */
export const toGroupReference = (row: { readonly id: string; readonly name: string }) => ({
  id: formatId('group', row.id),
  name: row.name,
});

/** A membership that was made or was there, and when it shows in tokens. */
export const MemberAdded = z
  .strictObject({ member: Member, ...tokenTimes })
  .meta({ id: 'MemberAdded' });
