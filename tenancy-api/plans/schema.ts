import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { LimitRangeItem, ResourceQuotaHard } from '#domain/plan.ts';
import { Id } from '../schema.ts';

/** A plan as it is stored. */
export const PlanRow = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  display_name: z.string(),
  project_quota: ResourceQuotaHard,
  limit_range: z.array(LimitRangeItem),
  max_projects: z.int(),
  isolation: z.enum(['shared', 'dedicated']),
});
export type PlanRow = z.infer<typeof PlanRow>;

/** What a workspace may have at most. */
export const Plan = z
  .strictObject({
    id: Id('plan'),
    name: z.string(),
    display_name: z.string(),
    project_quota: ResourceQuotaHard.describe('The ResourceQuota that each project starts with.'),
    limit_range: z.array(LimitRangeItem),
    max_projects: z.int(),
    isolation: z.enum(['shared', 'dedicated']),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

/** The public form of a plan. */
export const toPlan = (row: PlanRow): Plan => ({ ...row, id: formatId('plan', row.id) });
