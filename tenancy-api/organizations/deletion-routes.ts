/** The end of organizations, by their owners. */
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { toTask } from '../tasks/schema.ts';
import { deleteOrganization, restoreOrganization } from './deletion.ts';
import {
  DeleteOrganizationQuery,
  OrganizationDeletion,
  OrganizationRestored,
  toGoingWorkspace,
} from './deletion-schema.ts';
import { toOrganization } from './schema.ts';

export const organizationDeletionRoutes = [
  defineRoute({
    method: 'DELETE',
    path: '/v1/organizations/{organization}',
    summary: 'Delete an organization after a grace period, or see what would go',
    description:
      'Its workspaces stop at once, and it takes no new ones and no new users. Until `delete_after` an owner can restore it; then everything goes for good.',
    permission: { organization: 'organization:delete' },
    query: DeleteOrganizationQuery,
    dryRun: true,
    responses: {
      200: { description: 'What would go, or is going already.', body: OrganizationDeletion },
      202: {
        description: 'It is scheduled, and its workspaces are being stopped.',
        body: OrganizationDeletion,
      },
    },
    problems: [PROBLEMS.privateOrganization, PROBLEMS.unprocessable],
    handler: async ({ context, params, query }) => {
      const deletion = await deleteOrganization(context, params.organization, query.confirm);
      const { deleteAfter, users, workspaces, tasks, already } = deletion;
      const body = {
        organization: toOrganization(deletion.organization),
        delete_after: deleteAfter.toISOString(),
        users,
        workspaces: workspaces.map((row) =>
          toGoingWorkspace(row, context.dryRun ? undefined : tasks.get(row.id)),
        ),
      };
      return { status: already || context.dryRun ? 200 : 202, body };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/organizations/{organization}/restore',
    summary: 'Take the deletion of an organization back',
    permission: { organization: 'organization:delete' },
    responses: {
      200: { description: 'It is not being deleted.', body: OrganizationRestored },
      202: {
        description: 'It stays, with the workspaces that were scheduled together with it.',
        body: OrganizationRestored,
      },
    },
    problems: [PROBLEMS.organizationDeleting],
    handler: async ({ context, params }) => {
      const { organization, tasks, restored } = await restoreOrganization(
        context,
        params.organization,
      );
      const body = { organization: toOrganization(organization), tasks: tasks.map(toTask) };
      return { status: restored ? 202 : 200, body };
    },
  }),
];
