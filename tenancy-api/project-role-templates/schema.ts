import * as z from 'zod';
import { PolicyRule } from '#domain/policy-rule.ts';

/** A named set of rules to make a project role from. */
export const ProjectRoleTemplate = z
  .strictObject({
    name: z.string().describe('For which job; a role made from it can have the same name.'),
    description: z.string(),
    rules: z
      .array(PolicyRule)
      .describe('To be sent, as they are or changed, as the rules of a new project role.'),
  })
  .meta({ id: 'ProjectRoleTemplate' });
