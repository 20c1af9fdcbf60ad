import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { PRESET_ROLES } from '#domain/presets.ts';
import { GroupReference } from '../members/schema.ts';
import { Id } from '../schema.ts';

/** The most members that one answer tells of. */
export const MAX_AFFECTED = 100;

/** A role that a group holds, by the names that people know it by. */
export const GrantRow = z.strictObject({
  id: z.uuid(),
  group_id: z.uuid(),
  project_id: z.uuid().nullable(),
  project_name: z.string().nullable(),
  role: z.string(),
  preset_role: z.enum(PRESET_ROLES).nullable(),
});
export type GrantRow = z.infer<typeof GrantRow>;

const Grant = z
  .strictObject({
    role_assignment: Id('roleAssignment'),
    group: Id('group').describe('Which group holds it.'),
    project: Id('project').nullable().describe('Where it holds; null: in the whole workspace.'),
    project_name: z.string().nullable(),
    role: z.string().describe('The name of the project role or of the preset.'),
    preset: z.boolean().describe('Whether the role is a preset.'),
  })
  .meta({ id: 'Grant' });

/** The public form of a role that a group holds. */
export const toGrant = (row: GrantRow): z.infer<typeof Grant> => ({
  role_assignment: formatId('roleAssignment', row.id),
  group: formatId('group', row.group_id),
  project: row.project_id === null ? null : formatId('project', row.project_id),
  project_name: row.project_name,
  role: row.role,
  preset: row.preset_role !== null,
});

const Affected = z
  .strictObject({
    kind: z.enum(['person', 'service_account']),
    id: z.union([Id('person'), Id('serviceAccount')]),
    display_name: z.string(),
    groups_gained: z.array(GroupReference),
    groups_lost: z.array(GroupReference),
    roles_gained: z.array(Grant),
    roles_lost: z
      .array(Grant)
      .describe('What no longer comes to them this way; another group may still give the same.'),
  })
  .meta({ id: 'AffectedMember' });
export type Affected = z.infer<typeof Affected>;

/** Who gains and loses what by a change of the tree. */
export const GroupEffect = z
  .strictObject({
    people_affected: z.int().describe('How many people’s effective groups change.'),
    service_accounts_affected: z.int(),
    affected: z
      .array(Affected)
      .describe(`At most ${MAX_AFFECTED} of them: people first, by display name.`),
  })
  .meta({ id: 'GroupEffect' });
export type GroupEffect = z.infer<typeof GroupEffect>;
