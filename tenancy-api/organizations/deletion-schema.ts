/** What the routes that end an organization, or take that back, take and answer. */
import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { Id, Timestamp } from '../schema.ts';
import { Task, type TaskRow, toTask } from '../tasks/schema.ts';
import { WorkspaceContents } from '../workspaces/life-schema.ts';
import { Organization } from './schema.ts';

/** A workspace of an organization, with what is in it. */
export const OwnedWorkspaceRow = z.strictObject({
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  contents: WorkspaceContents,
});
export type OwnedWorkspaceRow = z.infer<typeof OwnedWorkspaceRow>;

/** How the deletion of an organization is confirmed. */
export const DeleteOrganizationQuery = z.strictObject({
  confirm: z
    .string()
    .max(100)
    .optional()
    .describe('The slug or the name of the organization; not in a dry run.'),
});

const GoingWorkspace = z
  .strictObject({
    id: Id('workspace'),
    slug: z.string(),
    name: z.string(),
    contents: WorkspaceContents,
    task: Task.nullable().describe(
      'Ends when its control plane is stopped. None in a dry run, or when it was being deleted already.',
    ),
  })
  .meta({ id: 'GoingWorkspace' });

/** A deletion: when it is carried out, and what goes then. */
export const OrganizationDeletion = z
  .strictObject({
    organization: Organization,
    delete_after: Timestamp.describe('Until then it can be restored.'),
    users: z.int().describe('Their roles in the organization; the people stay.'),
    workspaces: z.array(GoingWorkspace),
  })
  .meta({ id: 'OrganizationDeletion' });

/** An organization that stays, with what comes back with it. */
export const OrganizationRestored = z
  .strictObject({
    organization: Organization,
    tasks: z
      .array(Task)
      .describe('One for each workspace that comes back; it ends when its cluster is as before.'),
  })
  .meta({ id: 'OrganizationRestored' });

/** The public form of a workspace that goes with its organization. */
export const toGoingWorkspace = (
  row: OwnedWorkspaceRow,
  task: TaskRow | undefined,
): z.infer<typeof GoingWorkspace> => ({
  ...row,
  id: formatId('workspace', row.id),
  task: task ? toTask(task) : null,
});
