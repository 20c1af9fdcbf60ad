import * as z from 'zod';
import { formatId, idPattern } from '#domain/identifiers.ts';
import { ResourceQuotaHard } from '#domain/plan.ts';
import { ProjectName } from '#domain/project-name.ts';
import { MAX_PROJECT_LEVELS } from '#domain/project-tree.ts';
import { SortedPageQuery } from '../cursor.ts';
import {
  RoleAssignment,
  type RoleAssignmentRow,
  toRoleAssignment,
} from '../role-assignments/schema.ts';
import { DisplayName, Id, Reference, Timestamp } from '../schema.ts';
import { Task } from '../tasks/schema.ts';

/** A project as it is stored. */
export const ProjectRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  display_name: z.string(),
  parent_id: z.uuid().nullable(),
  quota: ResourceQuotaHard.nullable(),
  version: z.int(),
  created_at: z.date(),
});
export type ProjectRow = z.infer<typeof ProjectRow>;

const quota = ResourceQuotaHard.describe(
  'Resource name → quantity; replaces single resources of the plan’s quota, never above it.',
);

/** A project: a namespace in the workspace's cluster. */
export const Project = z
  .strictObject({
    id: Id('project'),
    name: z
      .string()
      .describe(
        'The name of the Namespace, which also has the label `<name>.tree.kaas.hexabase.io/depth` of this project and of each above it, whose value says how many levels above.',
      ),
    display_name: z.string(),
    parent: Id('project')
      .nullable()
      .describe('The project above, whose role assignments hold here too; null: none.'),
    quota: quota.nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;

/** The public form of a project. */
export const toProject = (row: ProjectRow): Project => ({
  id: formatId('project', row.id),
  name: row.name,
  display_name: row.display_name,
  parent: row.parent_id === null ? null : formatId('project', row.parent_id),
  quota: row.quota,
  created_at: row.created_at.toISOString(),
});

const Parent = Reference('project').nullable().optional();

/** What a project is made from. */
export const CreateProject = z
  .strictObject({
    name: ProjectName,
    display_name: DisplayName.optional().describe('The name, unless given.'),
    parent: Parent.describe(
      `The project that it goes below, whose role assignments it inherits; null: none. A tree has at most ${MAX_PROJECT_LEVELS} levels.`,
    ),
    quota: quota.optional(),
  })
  .meta({
    id: 'CreateProject',
    examples: [
      { name: 'shop', display_name: 'The shop', quota: { pods: '10' } },
      { name: 'shop-staging', parent: 'prj_01k3v7c4h8e2f9r5t6y7z8a9bc' },
    ],
  });
export type CreateProject = z.infer<typeof CreateProject>;

/** What of a project can change. */
export const UpdateProject = z
  .strictObject({
    display_name: DisplayName.optional(),
    parent: Parent.describe(
      'Moves the project with all below it: they lose what they inherited from the old ancestors, and gain what is given in the new ones. null: to the top.',
    ),
    quota: quota.nullable().optional().describe('null: the plan’s.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'Give display_name, parent or quota.')
  .meta({
    id: 'UpdateProject',
    minProperties: 1,
    examples: [
      { quota: { pods: '5' } },
      { parent: 'prj_01k3v7c4h8e2f9r5t6y7z8a9bc' },
      { parent: null, quota: null },
    ],
  });
export type UpdateProject = z.infer<typeof UpdateProject>;

/** Which projects are listed. */
export const ProjectQuery = z.strictObject({
  ...SortedPageQuery.shape,
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'Must be a project name.')
    .optional()
    .describe('The one of this name.'),
  parent: z
    .string()
    .regex(idPattern('project'))
    .optional()
    .describe('Those directly below this one.'),
});

/** A project that is being made. */
export const ProjectCreated = z
  .strictObject({ project: Project, task: Task })
  .meta({ id: 'ProjectCreated' });

/** The most assignments that a move lists of each kind; the rest is counted. */
export const MAX_MOVED_ASSIGNMENTS = 1000;

const ProjectReference = z
  .strictObject({ id: Id('project'), name: z.string() })
  .meta({ id: 'ProjectReference' });

const Moved = z.array(RoleAssignment);

/** What a move of a project means. */
export const ProjectMove = z
  .strictObject({
    projects: z
      .array(ProjectReference)
      .describe('The moved one and all below it: in each of them the assignments change.'),
    gained: Moved.describe('Those that come to hold in each of the projects.'),
    lost: Moved.describe('Those that cease to.'),
    truncated: z
      .boolean()
      .describe(`Whether there are more than ${MAX_MOVED_ASSIGNMENTS} of a kind.`),
  })
  .meta({ id: 'ProjectMove' });

/** A move as the service computes it. */
export type Move = {
  readonly projects: readonly { readonly id: string; readonly name: string }[];
  readonly gained: readonly RoleAssignmentRow[];
  readonly lost: readonly RoleAssignmentRow[];
};

/** The public form of a move. */
export const toProjectMove = ({ projects, gained, lost }: Move): z.infer<typeof ProjectMove> => ({
  projects: projects.map(({ id, name }) => ({ id: formatId('project', id), name })),
  gained: gained.slice(0, MAX_MOVED_ASSIGNMENTS).map(toRoleAssignment),
  lost: lost.slice(0, MAX_MOVED_ASSIGNMENTS).map(toRoleAssignment),
  truncated: Math.max(gained.length, lost.length) > MAX_MOVED_ASSIGNMENTS,
});

const taskOrNone = Task.nullable().describe(
  'null in a dry run, and when the cluster has nothing to hear of it.',
);

/** A changed project. */
export const ProjectUpdated = z
  .strictObject({
    project: Project,
    move: ProjectMove.nullable().describe('null when it stays where it is.'),
    task: taskOrNone,
  })
  .meta({ id: 'ProjectUpdated' });

/** What goes with a project, besides its namespace and everything in that. */
export const ProjectContents = z
  .strictObject({
    roles: z.int().describe('Its project roles.'),
    role_assignments: z.int().describe('The role assignments in it.'),
  })
  .meta({ id: 'ProjectContents' });
export type ProjectContents = z.infer<typeof ProjectContents>;

/** A deleted project. */
export const ProjectDeletion = z
  .strictObject({ project: Project, contents: ProjectContents, task: taskOrNone })
  .meta({ id: 'ProjectDeletion' });

/** What goes on after a deletion. */
export const TaskStarted = z.strictObject({ task: Task }).meta({ id: 'TaskStarted' });

/** The confirmation that a deletion needs. */
export const DeleteProjectQuery = z.strictObject({
  confirm: z.string().max(100).optional().describe('The name of the project; not in a dry run.'),
});
