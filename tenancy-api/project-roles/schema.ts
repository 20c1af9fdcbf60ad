import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { PolicyRule, ProjectRoleName } from '#domain/policy-rule.ts';
import { Id, Timestamp } from '../schema.ts';
import { Task } from '../tasks/schema.ts';

const MAX_RULES = 100;

/** A project role as it is stored. */
export const ProjectRoleRow = z.strictObject({
  id: z.uuid(),
  project_id: z.uuid(),
  name: z.string(),
  rules: z.array(PolicyRule),
  created_at: z.date(),
});
export type ProjectRoleRow = z.infer<typeof ProjectRoleRow>;

/** A role of a project: valid in its namespace alone. */
export const ProjectRole = z
  .strictObject({
    id: Id('projectRole'),
    project: Id('project'),
    name: z.string(),
    rules: z.array(PolicyRule).describe('As in a Role of rbac.authorization.k8s.io/v1.'),
    created_at: Timestamp,
  })
  .meta({ id: 'ProjectRole' });
export type ProjectRole = z.infer<typeof ProjectRole>;

/** The public form of a project role. */
export const toProjectRole = (row: ProjectRoleRow): ProjectRole => ({
  id: formatId('projectRole', row.id),
  project: formatId('project', row.project_id),
  name: row.name,
  rules: row.rules,
  created_at: row.created_at.toISOString(),
});

const rules = z
  .array(PolicyRule)
  .min(1)
  .max(MAX_RULES)
  .describe('Named verbs on named, namespaced resources; nothing that could raise rights.');

/** What a project role is made from. */
export const CreateProjectRole = z
  .strictObject({ name: ProjectRoleName, rules })
  .meta({ id: 'CreateProjectRole' });
export type CreateProjectRole = z.infer<typeof CreateProjectRole>;

/** What of a project role can change. */
export const UpdateProjectRole = z.strictObject({ rules }).meta({ id: 'UpdateProjectRole' });

/** A project role that is being made or changed. */
export const ProjectRoleChanged = z
  .strictObject({ project_role: ProjectRole, task: Task })
  .meta({ id: 'ProjectRoleChanged' });
