/** Templates of project roles: rules that a new role can start from. */
import { ROLE_TEMPLATES } from '#domain/role-templates.ts';
import { pageOf } from '../cursor.ts';
import { defineRoute } from '../route.ts';
import { ProjectRoleTemplate } from './schema.ts';

export const projectRoleTemplateRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/project-role-templates',
    summary: 'List rules that a project role can be made from',
    permission: 'signed-in',
    responses: {
      200: {
        description: 'All of them, from the least to the most; there is no next page.',
        body: pageOf(ProjectRoleTemplate, 'ProjectRoleTemplate'),
      },
    },
    handler: async () => ({
      status: 200,
      body: {
        items: ROLE_TEMPLATES.map(({ rules, ...rest }) => ({ ...rest, rules: [...rules] })),
        next_cursor: null,
      },
    }),
  }),
];
