import * as z from 'zod';
import { formatId, idPattern } from '#domain/identifiers.ts';
import { PRESET_ROLES } from '#domain/presets.ts';
import { PageQuery } from '../cursor.ts';
import { Id, Reference, Timestamp } from '../schema.ts';
import { Task } from '../tasks/schema.ts';

const PresetRole = z.enum(PRESET_ROLES);

/** A role assignment as it is stored. */
export const RoleAssignmentRow = z.strictObject({
  id: z.uuid(),
  group_id: z.uuid(),
  project_id: z.uuid().nullable(),
  project_role_id: z.uuid().nullable(),
  preset_role: PresetRole.nullable(),
  preset: z.boolean(),
  created_at: z.date(),
});
export type RoleAssignmentRow = z.infer<typeof RoleAssignmentRow>;

/** A role given to a group, in the whole workspace or in a project. */
export const RoleAssignment = z
  .strictObject({
    id: Id('roleAssignment'),
    group: Id('group'),
    project: Id('project').nullable().describe('Where it is valid; null: in the whole workspace.'),
    project_role: Id('projectRole').nullable(),
    preset_role: PresetRole.nullable(),
    preset: z.boolean().describe('Whether it is the platform’s and can’t be deleted.'),
    created_at: Timestamp,
  })
  .meta({ id: 'RoleAssignment' });
export type RoleAssignment = z.infer<typeof RoleAssignment>;

/** The public form of a role assignment. */
export const toRoleAssignment = (row: RoleAssignmentRow): RoleAssignment => ({
  id: formatId('roleAssignment', row.id),
  group: formatId('group', row.group_id),
  project: row.project_id === null ? null : formatId('project', row.project_id),
  project_role: row.project_role_id === null ? null : formatId('projectRole', row.project_role_id),
  preset_role: row.preset_role,
  preset: row.preset,
  created_at: row.created_at.toISOString(),
});

/** What is given to whom, and where. */
export const CreateRoleAssignment = z
  .strictObject({
    group: Reference('group'),
    project: Reference('project').optional(),
    project_role: Reference('projectRole').optional().describe('A role of `project`.'),
    preset_role: PresetRole.optional().describe('In `project`, or without it in the workspace.'),
  })
  .refine(
    (input) => (input.project_role === undefined) !== (input.preset_role === undefined),
    'Give either project_role or preset_role.',
  )
  .refine((input) => input.project_role === undefined || input.project !== undefined, {
    path: ['project'],
    error: 'A project role is valid in its project: name it.',
  })
  .meta({ id: 'CreateRoleAssignment' });
export type CreateRoleAssignment = z.infer<typeof CreateRoleAssignment>;

/** Which role assignments are listed. */
export const RoleAssignmentQuery = z.strictObject({
  ...PageQuery.shape,
  group: z.string().regex(idPattern('group')).optional(),
  project: z.string().regex(idPattern('project')).optional(),
});

/** A role assignment that is on its way to the cluster. */
export const RoleAssignmentCreated = z
  .strictObject({ role_assignment: RoleAssignment, task: Task })
  .meta({ id: 'RoleAssignmentCreated' });
