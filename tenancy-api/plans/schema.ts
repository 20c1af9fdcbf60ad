import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import {
  Isolation,
  LimitRangeItem,
  NodeSelector,
  Price,
  ProjectNetworkPolicy,
  ResourceQuotaHard,
  Toleration,
} from '#domain/plan.ts';
import { PageQuery } from '../cursor.ts';
import { DisplayName, Id, Timestamp } from '../schema.ts';

/** A plan as it is stored. */
export const PlanRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  display_name: z.string(),
  project_quota: ResourceQuotaHard,
  limit_range: z.array(LimitRangeItem),
  network_policy: ProjectNetworkPolicy,
  workspace_quota: ResourceQuotaHard,
  max_projects: z.int(),
  isolation: Isolation,
  node_selector: NodeSelector,
  tolerations: z.array(Toleration),
  price: Price.nullable(),
  version: z.int(),
  retired_at: z.coerce.date().nullable(),
});
export type PlanRow = z.infer<typeof PlanRow>;

const isolation = Isolation.describe('dedicated: on nodes of its own.');
const networkPolicy = ProjectNetworkPolicy.describe(
  'isolate: pods of a project take connections from its own project tree only, until it lets others in.',
);
const workspaceQuota = ResourceQuotaHard.describe(
  'The ResourceQuota of the whole workspace on its host.',
);
const projectQuota = ResourceQuotaHard.describe('The ResourceQuota that each project starts with.');
const price = Price.nullable().describe('null: free.');

/** What a workspace may have at most. */
export const Plan = z
  .strictObject({
    id: Id('plan'),
    name: z.string(),
    display_name: z.string(),
    project_quota: projectQuota,
    limit_range: z.array(LimitRangeItem),
    network_policy: networkPolicy,
    workspace_quota: workspaceQuota,
    max_projects: z.int(),
    isolation,
    price,
    retired_at: Timestamp.nullable().describe(
      'Since when no workspace can come to it; who has it keeps it.',
    ),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

/** A plan with what only platform administrators are shown. */
export const PlanDetails = z
  .strictObject({
    ...Plan.shape,
    node_selector: NodeSelector.optional().describe('For platform administrators.'),
    tolerations: z.array(Toleration).optional().describe('For platform administrators.'),
  })
  .meta({ id: 'PlanDetails' });
export type PlanDetails = z.infer<typeof PlanDetails>;

/** The public form of a plan. */
export const toPlan = (row: PlanRow): Plan => {
  const { version: _, node_selector: __, tolerations: ___, retired_at, ...plan } = row;
  return {
    ...plan,
    id: formatId('plan', row.id),
    retired_at: retired_at?.toISOString() ?? null,
  };
};

/** A plan as a platform administrator sees it. */
export const toPlanDetails = (row: PlanRow): PlanDetails => ({
  ...toPlan(row),
  node_selector: row.node_selector,
  tolerations: row.tolerations,
});

/** Which plans are listed. */
export const PlanQuery = z.strictObject({
  ...PageQuery.shape,
  retired: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Whether those that are no longer offered are listed too.'),
});

const fields = {
  display_name: DisplayName,
  project_quota: projectQuota,
  limit_range: z.array(LimitRangeItem).max(3),
  network_policy: networkPolicy,
  workspace_quota: workspaceQuota,
  max_projects: z.int().min(1).max(10_000),
  isolation,
  node_selector: NodeSelector.describe('Labels of the nodes that its workspaces run on.'),
  tolerations: z.array(Toleration).max(16).describe('Taints of these nodes.'),
  price,
};
const PlanFields = z.strictObject(fields);
/** What of a plan can change. */
export type PlanFields = z.infer<typeof PlanFields>;

const EXAMPLE = {
  display_name: 'Business',
  project_quota: { 'requests.cpu': '8', 'requests.memory': '32Gi', pods: '100' },
  max_projects: 50,
  price: { amount: 49_900, currency: 'EUR', interval: 'month' },
};

/** What a plan is made from. */
export const CreatePlan = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
        'A plan name has 1 to 63 lower-case ASCII letters, digits or "-".',
      ),
    ...fields,
    limit_range: fields.limit_range.default([]),
    network_policy: networkPolicy.default('none'),
    workspace_quota: fields.workspace_quota.default({}),
    isolation: isolation.default('shared'),
    node_selector: fields.node_selector.default({}),
    tolerations: fields.tolerations.default([]),
    price: price.default(null),
  })
  .meta({ id: 'CreatePlan', examples: [{ name: 'business', ...EXAMPLE }] });
export type CreatePlan = z.infer<typeof CreatePlan>;

/** A change of a plan: what is left out stays. */
export const UpdatePlan = PlanFields.partial()
  .refine((change) => Object.keys(change).length > 0, 'Give at least one field.')
  .meta({ id: 'UpdatePlan', minProperties: 1, examples: [{ max_projects: 60 }] });
export type UpdatePlan = z.infer<typeof UpdatePlan>;
