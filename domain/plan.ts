/** Workspace plans: the upper limits of a workspace and of each of its projects. */
import * as z from 'zod';
import { atMost, Quantity } from './quantity.ts';

/** The `hard` of a ResourceQuota: resource name → quantity. */
export const ResourceQuotaHard = z
  .record(
    z.string().regex(/^[a-z0-9A-Z][a-zA-Z0-9./_-]{0,252}$/, 'Must be a Kubernetes resource name.'),
    Quantity,
  )
  .refine((hard) => Object.keys(hard).length <= 64, 'At most 64 resources.');
export type ResourceQuotaHard = z.infer<typeof ResourceQuotaHard>;

const Limits = z.record(z.string(), Quantity);

/** One entry of a LimitRange's `limits`. */
export const LimitRangeItem = z.strictObject({
  type: z.enum(['Container', 'Pod', 'PersistentVolumeClaim']),
  default: Limits.optional(),
  defaultRequest: Limits.optional(),
  max: Limits.optional(),
  min: Limits.optional(),
});
export type LimitRangeItem = z.infer<typeof LimitRangeItem>;

/** The resources of a project's quota that go beyond the plan's, or that the plan doesn't limit. */
export const listQuotaExcess = (quota: ResourceQuotaHard, plan: ResourceQuotaHard): string[] =>
  Object.entries(quota)
    .filter(
      ([resource, quantity]) =>
        !atMost(quantity, Object.hasOwn(plan, resource) ? (plan[resource] ?? '') : ''),
    )
    .map(([resource]) => resource);
