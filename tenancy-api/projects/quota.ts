/** A project's own quota, within its workspace's plan. */
import { listQuotaExcess, type ResourceQuotaHard } from '#domain/plan.ts';
import type { PlanRow } from '../plans/schema.ts';
import { PROBLEMS, Problem, toPointer } from '../problems.ts';

/** @throws Problem quota-refused, with each resource that goes beyond the plan */
export const assertQuota = (quota: ResourceQuotaHard, plan: PlanRow): void => {
  const excess = listQuotaExcess(quota, plan.project_quota);
  if (excess.length === 0) return;
  throw new Problem(
    PROBLEMS.quotaRefused,
    `The plan "${plan.name}" doesn’t allow this quota; see errors.`,
    {
      errors: excess.map((resource) => ({
        pointer: toPointer(['quota', resource]),
        detail: Object.hasOwn(plan.project_quota, resource)
          ? `At most ${plan.project_quota[resource]}.`
          : 'The plan has no limit for this resource, so a quota can’t name it.',
      })),
    },
  );
};
