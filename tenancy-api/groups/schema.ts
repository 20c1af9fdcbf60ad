import * as z from 'zod';
import { GroupName } from '#domain/group-name.ts';
import { formatId, idPattern } from '#domain/identifiers.ts';
import { SortedPageQuery } from '../cursor.ts';
import { DisplayName, Id, Reference, Timestamp, tokenTimes } from '../schema.ts';
import { Task } from '../tasks/schema.ts';
import { GroupEffect } from './effect-schema.ts';

/** A group as it is stored. */
export const GroupRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  display_name: z.string(),
  parent_id: z.uuid().nullable(),
  preset: z.boolean(),
  version: z.int(),
  created_at: z.date(),
});
export type GroupRow = z.infer<typeof GroupRow>;

/** A group: members of a group are members of every group above it. */
export const Group = z
  .strictObject({
    id: Id('group'),
    name: z.string().describe('As tokens carry it; never changes.'),
    display_name: z.string(),
    parent: Id('group').nullable(),
    preset: z.boolean().describe('Whether it is the platform’s and can’t be changed.'),
    created_at: Timestamp,
  })
  .meta({ id: 'Group' });
export type Group = z.infer<typeof Group>;

/** The public form of a group. */
export const toGroup = (row: GroupRow): Group => ({
  id: formatId('group', row.id),
  name: row.name,
  display_name: row.display_name,
  parent: row.parent_id === null ? null : formatId('group', row.parent_id),
  preset: row.preset,
  created_at: row.created_at.toISOString(),
});

/** Which groups are listed. */
export const GroupQuery = z.strictObject({
  ...SortedPageQuery.shape,
  parent: z
    .string()
    .regex(idPattern('group'))
    .optional()
    .describe('Only those directly below this group.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,63}$/, 'Must be a group name.')
    .optional()
    .describe('Only the one of this name, in any case.'),
});

/** What a group is made from. */
export const CreateGroup = z
  .strictObject({
    name: GroupName,
    display_name: DisplayName.optional().describe('The name, unless given.'),
    parent: Reference('group').optional().describe('WorkspaceMembers, unless given.'),
  })
  .meta({ id: 'CreateGroup', examples: [{ name: 'sig-release', display_name: 'SIG Release' }] });
export type CreateGroup = z.infer<typeof CreateGroup>;

/** What of a group can change. */
export const UpdateGroup = z
  .strictObject({
    display_name: DisplayName.optional(),
    parent: Reference('group').optional().describe('Moves the group with all below it.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'Give display_name, parent or both.')
  .meta({
    id: 'UpdateGroup',
    minProperties: 1,
    examples: [{ display_name: 'Release engineering' }],
  });
export type UpdateGroup = z.infer<typeof UpdateGroup>;

/** A changed group; the times and the effect are null when no token changes. */
export const GroupUpdated = z
  .strictObject({
    group: Group,
    new_tokens_from: tokenTimes.new_tokens_from
      .nullable()
      .describe('ID tokens issued from now on carry the change; null: there is none.'),
    old_tokens_until: tokenTimes.old_tokens_until
      .nullable()
      .describe('The last moment at which an older token can still be accepted.'),
    effect: GroupEffect.nullable().describe('Who gains and loses what; null: it didn’t move.'),
  })
  .meta({ id: 'GroupUpdated' });

/** A deleted group; the task takes its roles away in the cluster and is null when it had none. */
export const GroupDeleted = z
  .strictObject({
    ...tokenTimes,
    effect: GroupEffect,
    task: Task.nullable().describe('null: it held no role, or this was a dry run.'),
  })
  .meta({ id: 'GroupDeleted' });
