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
  version: z.int(),
  created_at: z.date(),
});
export type ProjectRoleRow = z.infer<typeof ProjectRoleRow>;

/** A role of a project: assigned in it, it holds in its namespace and in those of the projects below. */
export const ProjectRole = z
  .strictObject({
    id: Id('projectRole'),
    project: Id('project'),
    name: z
      .string()
      .describe(
        'The Role is called "hexabase:<name>", and below its project "hexabase:<name>.<project>".',
      ),
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

const EXAMPLE_RULES = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
];

const rules = z
  .array(PolicyRule)
  .min(1)
  .max(MAX_RULES)
  .describe(
    'Named verbs on named, namespaced resources; nothing that could raise rights. GET /v1/project-role-templates has some to start from.',
  );

/** What a project role is made from. */
export const CreateProjectRole = z
  .strictObject({ name: ProjectRoleName, rules })
  .meta({ id: 'CreateProjectRole', examples: [{ name: 'log-reader', rules: EXAMPLE_RULES }] });
export type CreateProjectRole = z.infer<typeof CreateProjectRole>;

/** What of a project role can change. */
export const UpdateProjectRole = z
  .strictObject({ rules })
  .meta({ id: 'UpdateProjectRole', examples: [{ rules: EXAMPLE_RULES }] });

/** A project role that is being made or changed. */
export const ProjectRoleChanged = z
  .strictObject({ project_role: ProjectRole, task: Task })
  .meta({ id: 'ProjectRoleChanged' });
