import * as z from 'zod';
import { formatId, idPattern } from '#domain/identifiers.ts';
import { PRESET_ROLES } from '#domain/presets.ts';
import { PageQuery } from '../cursor.ts';
import { FutureTimestamp, Id, Reference, Timestamp, toLinePattern } from '../schema.ts';
import { Task } from '../tasks/schema.ts';

const PresetRole = z.enum(PRESET_ROLES);

/** A role assignment as it is stored, with who made it and, in a list for a project, from where. */
export const RoleAssignmentRow = z.strictObject({
  id: z.uuid(),
  group_id: z.uuid(),
  project_id: z.uuid().nullable(),
  project_role_id: z.uuid().nullable(),
  preset_role: PresetRole.nullable(),
  preset: z.boolean(),
  expires_at: z.date().nullable(),
  reason: z.string().nullable(),
  created_by: z.uuid().nullable(),
  created_by_name: z.string().nullable(),
  version: z.int(),
  created_at: z.date(),
  inherited_name: z.string().nullable(),
  inherited_depth: z.int().nullable(),
});
export type RoleAssignmentRow = z.infer<typeof RoleAssignmentRow>;

const Assigner = z
  .strictObject({
    id: Id('person'),
    display_name: z.string().nullable().describe('null: of someone whom you can’t see any more.'),
  })
  .meta({ id: 'Assigner' });

const InheritedFrom = z
  .strictObject({
    project: Id('project'),
    name: z.string(),
    depth: z.int().min(1).describe('How many levels above.'),
  })
  .meta({ id: 'InheritedFrom' });

// Spelled out like that of display names, but that lines may break.
const CONTROL = '\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f';
const REASON = toLinePattern(CONTROL);

const reason = z
  .string()
  .max(500, { abort: true })
  .trim()
  .min(1)
  .regex(REASON, 'Control characters are not allowed, nor spaces alone.')
  .meta({
    description: 'Why; for whoever looks at it later.',
    examples: ['Migration of the shop'],
  });

/** A role given to a group, in the whole workspace or in a project. */
export const RoleAssignment = z
  .strictObject({
    id: Id('roleAssignment'),
    group: Id('group'),
    project: Id('project')
      .nullable()
      .describe('Where it was given: it holds there and below. null: in the whole workspace.'),
    project_role: Id('projectRole').nullable(),
    preset_role: PresetRole.nullable(),
    preset: z
      .boolean()
      .describe('Whether it is the platform’s and can’t be changed, expire or be deleted.'),
    expires_at: Timestamp.nullable().describe('When it ends by itself; null: it holds for good.'),
    reason: reason.nullable(),
    created_by: Assigner.nullable().describe('Who gave it; null: the platform.'),
    created_at: Timestamp,
    inherited_from: InheritedFrom.nullable().describe(
      'In a list with inherited=true, and in a move: the project above that it comes from.',
    ),
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
  expires_at: row.expires_at?.toISOString() ?? null,
  reason: row.reason,
  created_by:
    row.created_by === null
      ? null
      : { id: formatId('person', row.created_by), display_name: row.created_by_name },
  created_at: row.created_at.toISOString(),
  inherited_from: toInheritedFrom(row),
});

const toInheritedFrom = (row: RoleAssignmentRow): RoleAssignment['inherited_from'] => {
  const { project_id: project, inherited_name: name, inherited_depth: depth } = row;
  if (project === null || name === null || depth === null) return null;
  return { project: formatId('project', project), name, depth };
};

const expiresAt = FutureTimestamp.nullable().optional();

/** What is given to whom, and where. */
export const CreateRoleAssignment = z
  .strictObject({
    group: Reference('group'),
    project: Reference('project').optional().describe('It also holds in the projects below.'),
    project_role: Reference('projectRole').optional().describe('A role of `project`.'),
    preset_role: PresetRole.optional().describe('In `project`, or without it in the workspace.'),
    expires_at: expiresAt.describe('When it ends by itself; for good, unless given.'),
    reason: reason.nullable().optional(),
  })
  .refine(
    (input) => (input.project_role === undefined) !== (input.preset_role === undefined),
    'Give either project_role or preset_role.',
  )
  .refine((input) => input.project_role === undefined || input.project !== undefined, {
    path: ['project'],
    error: 'A project role is valid in its project: name it.',
  })
  .meta({
    id: 'CreateRoleAssignment',
    oneOf: [
      { required: ['project_role', 'project'], not: { required: ['preset_role'] } },
      { required: ['preset_role'], not: { required: ['project_role'] } },
    ],
    examples: [
      {
        group: 'grp_01k3v7c4h8e2f9r5t6y7z8a9bc',
        project: 'prj_01k3v7c4h8e2f9r5t6y7z8a9bd',
        project_role: 'rol_01k3v7c4h8e2f9r5t6y7z8a9be',
        expires_at: '2030-01-31T17:00:00Z',
        reason: 'Migration of the shop',
      },
      { group: 'grp_01k3v7c4h8e2f9r5t6y7z8a9bc', preset_role: 'workspace-viewer' },
    ],
  });
export type CreateRoleAssignment = z.infer<typeof CreateRoleAssignment>;

/** What of a role assignment can change. */
export const UpdateRoleAssignment = z
  .strictObject({
    expires_at: expiresAt.describe('null: it holds for good. Left out: as it was.'),
    reason: reason.nullable().optional().describe('null: none. Left out: as it was.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'Give expires_at, reason or both.')
  .meta({
    id: 'UpdateRoleAssignment',
    minProperties: 1,
    examples: [{ expires_at: null, reason: 'Stays: they took the service over' }],
  });
export type UpdateRoleAssignment = z.infer<typeof UpdateRoleAssignment>;

/** Which role assignments are listed. */
export const RoleAssignmentQuery = z
  .strictObject({
    ...PageQuery.shape,
    group: z
      .string()
      .regex(idPattern('group'))
      .optional()
      .describe('Those that this group holds itself.'),
    project: z
      .string()
      .regex(idPattern('project'))
      .optional()
      .describe('Those that were given in this project.'),
    project_role: z
      .string()
      .regex(idPattern('projectRole'))
      .optional()
      .describe('Those of this project role.'),
    preset_role: PresetRole.optional().describe('Those of this preset role.'),
    inherited: z
      .enum(['true', 'false'])
      .optional()
      .describe(
        'With `project`: instead of its own, those that hold in it because they were given in a project above.',
      ),
  })
  .refine((query) => query.inherited !== 'true' || query.project !== undefined, {
    path: ['inherited'],
    error: 'Name the project that they hold in.',
  });
export type RoleAssignmentQuery = z.infer<typeof RoleAssignmentQuery>;

/** A changed role assignment. */
export const RoleAssignmentUpdated = z
  .strictObject({
    role_assignment: RoleAssignment,
    task: Task.nullable().describe('null when the cluster has nothing to hear of it.'),
  })
  .meta({ id: 'RoleAssignmentUpdated' });

/** A role assignment that is on its way to the cluster. */
export const RoleAssignmentCreated = z
  .strictObject({ role_assignment: RoleAssignment, task: Task })
  .meta({ id: 'RoleAssignmentCreated' });
