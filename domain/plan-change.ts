/** What a workspace's change of plan would mean: what does not fit, and what becomes different. Pure. */
import { listQuotaExcess, type ResourceQuotaHard } from './plan.ts';
import { equalQuantities } from './quantity.ts';

/** What of a plan a workspace has to fit. */
export type PlanLimits = {
  readonly name: string;
  /** No longer offered: who has it keeps it, nobody comes to it. */
  readonly retired: boolean;
  readonly projectQuota: ResourceQuotaHard;
  readonly maxProjects: number;
};

/** A project as far as a plan concerns it; `quota` is its override of single resources. */
export type PlannedProject = {
  readonly id: string;
  readonly name: string;
  readonly quota: ResourceQuotaHard | null;
};

/** One reason why a workspace can't have a plan. */
export type Misfit = {
  readonly reason: 'plan-retired' | 'too-many-projects' | 'quota-beyond-plan';
  /** Where, when it is one project's. */
  readonly project: PlannedProject | null;
  /** The resource of the quota. */
  readonly resource: string | null;
  /** What the workspace has, and what the plan allows; `null` where it allows none to be named. */
  readonly has: string | null;
  readonly allows: string | null;
  /** A sentence for people. */
  readonly detail: string;
};

/** Why these projects can't live on this plan; empty when they can. */
export const listMisfits = (
  plan: PlanLimits,
  projects: readonly PlannedProject[],
): readonly Misfit[] => [
  ...(plan.retired ? [retired(plan)] : []),
  ...(projects.length > plan.maxProjects ? [tooMany(plan, projects.length)] : []),
  ...projects.flatMap((project) =>
    listQuotaExcess(project.quota ?? {}, plan.projectQuota).map((resource) =>
      beyond(plan, project, resource),
    ),
  ),
];

const retired = ({ name }: PlanLimits): Misfit => ({
  reason: 'plan-retired',
  project: null,
  resource: null,
  has: null,
  allows: null,
  detail: `The plan "${name}" is no longer offered.`,
});

const tooMany = ({ name, maxProjects }: PlanLimits, count: number): Misfit => ({
  reason: 'too-many-projects',
  project: null,
  resource: null,
  has: `${count}`,
  allows: `${maxProjects}`,
  detail: `The workspace has ${count} projects, ${count - maxProjects} more than the ${maxProjects} that the plan "${name}" allows.`,
});

const beyond = (plan: PlanLimits, project: PlannedProject, resource: string): Misfit => {
  const has = project.quota?.[resource] ?? '';
  const allows = Object.hasOwn(plan.projectQuota, resource) ? plan.projectQuota[resource] : null;
  const limit =
    typeof allows === 'string' ? `at most ${allows}` : 'no quota of its own for this resource';
  return {
    reason: 'quota-beyond-plan',
    project,
    resource,
    has,
    allows: allows ?? null,
    detail: `The project "${project.name}" has a quota of ${has} for "${resource}"; the plan "${plan.name}" allows ${limit}.`,
  };
};

/** A resource whose limit changes; `null` where there is none. */
export type QuotaChange = {
  readonly resource: string;
  readonly from: string | null;
  readonly to: string | null;
};

/** The resources whose limits differ in value, by name. */
export const diffQuota = (
  from: ResourceQuotaHard,
  to: ResourceQuotaHard,
): readonly QuotaChange[] => {
  const limitOf = (quota: ResourceQuotaHard, resource: string): string | null =>
    Object.hasOwn(quota, resource) ? (quota[resource] ?? null) : null;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .sort()
    .map((resource) => ({ resource, from: limitOf(from, resource), to: limitOf(to, resource) }))
    .filter(
      (change) =>
        change.from === null || change.to === null || !equalQuantities(change.from, change.to),
    );
};
