/** What the routes of a workspace's life take and answer. */
import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { Isolation } from '#domain/plan.ts';
import type { Misfit, QuotaChange } from '#domain/plan-change.ts';
import { Id, Timestamp } from '../schema.ts';
import { Task } from '../tasks/schema.ts';
import { Workspace } from './schema.ts';

const taskOrNone = Task.nullable().describe('None when there was nothing to do, or in a dry run.');

/** A workspace after a change of its life, and the task that ends when its cluster is so. */
export const WorkspaceChanged = z
  .strictObject({ workspace: Workspace, task: taskOrNone })
  .meta({ id: 'WorkspaceChanged' });

/** What goes with a workspace. */
export const WorkspaceContents = z
  .strictObject({
    projects: z
      .array(z.string())
      .describe(
        'Their names: namespaces and everything in them. In an attached cluster the namespaces stay, with everything in them that is not the platform’s.',
      ),
    groups: z.int(),
    members: z.int().describe('Their memberships; the people stay.'),
    service_accounts: z.int(),
    cluster: z.boolean().describe('A control plane with all its data; an attached cluster stays.'),
  })
  .meta({ id: 'WorkspaceContents' });
export type WorkspaceContents = z.infer<typeof WorkspaceContents>;

/** A deletion: when it is carried out, and what goes then. */
export const WorkspaceDeletion = z
  .strictObject({
    workspace: Workspace,
    delete_after: Timestamp.describe('Until then it can be restored.'),
    contents: WorkspaceContents,
    task: taskOrNone,
  })
  .meta({ id: 'WorkspaceDeletion' });

/** How a deletion is confirmed. */
export const DeleteWorkspaceQuery = z.strictObject({
  confirm: z
    .string()
    .max(100)
    .optional()
    .describe('The slug or the name of the workspace; not in a dry run.'),
});

/** A change of plan. */
export const ChangePlan = z
  .strictObject({ plan: z.string().min(1).max(100).describe('The name or the id of a plan.') })
  .meta({ id: 'ChangePlan', examples: [{ plan: 'team' }] });

const PlanSummary = z
  .strictObject({
    id: Id('plan'),
    name: z.string(),
    max_projects: z.int(),
    isolation: Isolation,
  })
  .meta({ id: 'PlanSummary' });

const QuotaDifference = z
  .strictObject({
    resource: z.string(),
    from: z.string().nullable().describe('null: no limit.'),
    to: z.string().nullable().describe('null: no limit.'),
  })
  .meta({ id: 'QuotaDifference' });

const PlanMisfit = z
  .strictObject({
    reason: z.enum(['plan-retired', 'too-many-projects', 'quota-beyond-plan']),
    project: z.strictObject({ id: Id('project'), name: z.string() }).nullable(),
    resource: z.string().nullable(),
    has: z.string().nullable().describe('What the workspace or the project has.'),
    allows: z.string().nullable().describe('What the plan allows.'),
    detail: z.string(),
  })
  .meta({ id: 'PlanMisfit' });

/** What a change of plan means. */
export const PlanChange = z
  .strictObject({
    from: PlanSummary,
    to: PlanSummary,
    fits: z.boolean(),
    misfits: z.array(PlanMisfit).describe('Why the change is refused; empty when it fits.'),
    project_quota: z
      .array(QuotaDifference)
      .describe('How the quota of each project changes that has none of its own.'),
    workspace_quota: z.array(QuotaDifference).describe('How the quota of the whole changes.'),
    limit_range_changes: z.boolean().describe('Whether containers get other default limits.'),
    network_policy_changes: z
      .boolean()
      .describe('Whether others reach the pods of a project, or no longer do.'),
  })
  .meta({ id: 'PlanChange' });
export type PlanChange = z.infer<typeof PlanChange>;

/** A workspace with its plan after the change. */
export const PlanChanged = z
  .strictObject({ workspace: Workspace, change: PlanChange, task: taskOrNone })
  .meta({ id: 'PlanChanged' });

/** The public form of a misfit. */
export const toMisfit = (misfit: Misfit): PlanChange['misfits'][number] => ({
  ...misfit,
  project: misfit.project && {
    id: formatId('project', misfit.project.id),
    name: misfit.project.name,
  },
});

/** The public form of quota changes. */
export const toDifferences = (changes: readonly QuotaChange[]): PlanChange['project_quota'] => [
  ...changes,
];
