import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { ResourceQuotaHard } from '#domain/plan.ts';
import { ProjectName } from '#domain/project-name.ts';
import { DisplayName, Id, Timestamp } from '../schema.ts';
import { Task } from '../tasks/schema.ts';

/** A project as it is stored. */
export const ProjectRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  display_name: z.string(),
  quota: ResourceQuotaHard.nullable(),
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
    name: z.string().describe('The name of the Namespace.'),
    display_name: z.string(),
    quota: quota.nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;

/** The public form of a project. */
export const toProject = (row: ProjectRow): Project => ({
  ...row,
  id: formatId('project', row.id),
  created_at: row.created_at.toISOString(),
});

/** What a project is made from. */
export const CreateProject = z
  .strictObject({
    name: ProjectName,
    display_name: DisplayName.optional().describe('The name, unless given.'),
    quota: quota.optional(),
  })
  .meta({ id: 'CreateProject' });
export type CreateProject = z.infer<typeof CreateProject>;

/** A project that is being made. */
export const ProjectCreated = z
  .strictObject({ project: Project, task: Task })
  .meta({ id: 'ProjectCreated' });

/** What goes on after a deletion. */
export const TaskStarted = z.strictObject({ task: Task }).meta({ id: 'TaskStarted' });

/** The confirmation that a deletion needs. */
export const DeleteProjectQuery = z.strictObject({
  confirm: z.string().max(100).optional().describe('The name of the project.'),
});
