/** Workspace plans: the upper limits of a workspace and of each of its projects. */
import * as z from 'zod';
import { atMost, parseQuantity, Quantity } from './quantity.ts';

const ONE = 1_000_000_000n;

/** CPU, memory and storage have fractions; everything else a quota limits is counted. */
const isMeasured = (resource: string): boolean =>
  /(^|[./])(cpu|memory|storage|ephemeral-storage|hugepages-[^/]+)$/.test(resource) &&
  !resource.startsWith('count/');

/** The `hard` of a ResourceQuota: resource name → quantity. */
export const ResourceQuotaHard = z
  .record(
    z.string().regex(/^[a-z0-9A-Z][a-zA-Z0-9./_-]{0,252}$/, 'Must be a Kubernetes resource name.'),
    Quantity,
  )
  .refine((hard) => Object.keys(hard).length <= 64, 'At most 64 resources.')
  .superRefine((hard, context) => {
    for (const [resource, quantity] of Object.entries(hard)) {
      if (isMeasured(resource) || (parseQuantity(quantity) ?? 0n) % ONE === 0n) continue;
      const message = `"${resource}" is counted: a whole number is needed.`;
      context.addIssue({ code: 'custom', message, path: [resource] });
    }
  });
export type ResourceQuotaHard = z.infer<typeof ResourceQuotaHard>;

const Limits = z.record(z.string(), Quantity);

/** How many workspaces an organization may have: each is a control plane on the host. */
export const MAX_WORKSPACES_PER_ORGANIZATION = 50;

/** How many organizations a person can make besides their private one, whoever owns them later. */
export const MAX_ORGANIZATIONS_PER_PERSON = 20;

/** One entry of a LimitRange's `limits`. */
export const LimitRangeItem = z.strictObject({
  type: z.enum(['Container', 'Pod', 'PersistentVolumeClaim']),
  default: Limits.optional(),
  defaultRequest: Limits.optional(),
  max: Limits.optional(),
  min: Limits.optional(),
});
export type LimitRangeItem = z.infer<typeof LimitRangeItem>;

const LABEL_NAME = '[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?';
const LABEL_PREFIX = '[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?';
const LabelKey = z
  .string()
  .regex(new RegExp(`^(${LABEL_PREFIX}/)?${LABEL_NAME}$`), 'Must be a Kubernetes label key.');
const LabelValue = z
  .string()
  .regex(new RegExp(`^(${LABEL_NAME})?$`), 'Must be a Kubernetes label value.');

/** Labels that a node must have to run a workspace's pods. */
export const NodeSelector = z.record(LabelKey, LabelValue);
export type NodeSelector = z.infer<typeof NodeSelector>;

/** A taint that a workspace's pods tolerate (core/v1 Toleration). */
export const Toleration = z
  .strictObject({
    key: LabelKey.optional(),
    operator: z.enum(['Exists', 'Equal']).optional(),
    value: LabelValue.optional(),
    effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  })
  .refine(({ key, operator }) => key !== undefined || operator === 'Exists', {
    path: ['operator'],
    error: 'Without a key it must be "Exists": it tolerates every taint.',
  })
  .refine(({ operator, value }) => operator !== 'Exists' || value === undefined, {
    path: ['value'],
    error: 'With "Exists" there is no value to compare.',
  });
export type Toleration = z.infer<typeof Toleration>;

/** Whether a workspace's pods run on nodes of its own. */
export const Isolation = z.enum(['shared', 'dedicated']);
export type Isolation = z.infer<typeof Isolation>;

/**
 * Who reaches the pods of a project unless its own NetworkPolicies let more in. `isolate`: the pods of
 * its project tree only, which is the project itself where nothing is above or below it.
 */
export const ProjectNetworkPolicy = z.enum(['none', 'isolate']);
export type ProjectNetworkPolicy = z.infer<typeof ProjectNetworkPolicy>;

/** What of a plan concerns the host that a control plane and its pods run on. */
export const HostPlan = z.strictObject({
  /** What everything of the workspace may take together. */
  workspaceQuota: ResourceQuotaHard,
  isolation: Isolation,
  nodeSelector: NodeSelector,
  tolerations: z.array(Toleration),
});
export type HostPlan = Readonly<z.infer<typeof HostPlan>>;

/** What a workspace costs, in the currency's minor unit (ISO 4217). */
export const Price = z.strictObject({
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/, 'Must be a currency code of ISO 4217, such as EUR.'),
  interval: z.enum(['month', 'year']),
});
export type Price = z.infer<typeof Price>;

/** The resources of a project's quota that go beyond the plan's, or that the plan doesn't limit. */
export const listQuotaExcess = (quota: ResourceQuotaHard, plan: ResourceQuotaHard): string[] =>
  Object.entries(quota)
    .filter(
      ([resource, quantity]) =>
        !atMost(quantity, Object.hasOwn(plan, resource) ? (plan[resource] ?? '') : ''),
    )
    .map(([resource]) => resource);
