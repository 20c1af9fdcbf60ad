/** How platform administrators make, change and retire plans. */
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import { listMisfits } from '#domain/plan-change.ts';
import { recordPlatformChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import {
  findPlan,
  findPlanToChange,
  getPlanOfWorkspace,
  holdPlan,
  insertPlan,
  listPlanUsage,
  lockPlan,
  retirePlan as retirePlanRow,
  updatePlan as updatePlanRow,
} from './queries.ts';
import type { CreatePlan, PlanFields, PlanRow, UpdatePlan } from './schema.ts';

/** @throws Problem not-found */
export const getPlan = async ({ tx }: RequestContext, planId: string): Promise<PlanRow> => {
  const plan = await findPlan(tx, planId);
  if (!plan) throw notFound();
  return plan;
};

/**
 * The plan of a workspace, whose limits stay until the transaction ends, for what has to fit them. Runs
 * under the workspace's lock.
 */
export const holdPlanOfWorkspace = async (
  { tx }: RequestContext,
  workspaceId: string,
): Promise<PlanRow> => {
  await holdPlan(tx, (await getPlanOfWorkspace(tx, workspaceId)).id);
  return getPlanOfWorkspace(tx, workspaceId);
};

/** @throws Problem unprocessable for dedicated nodes that nothing selects, already-exists */
export const createPlan = async (
  context: RequestContext,
  { name, ...fields }: CreatePlan,
): Promise<PlanRow> => {
  assertNodes(fields);
  const id = createId();
  await insertPlan(context.tx, { id, name }, fields).catch((error: unknown) => {
    throw isNameTaken(error) ? nameTaken(name) : error;
  });
  await recordPlatformChange(context, {
    action: 'plan.create',
    targetId: id,
    after: toRecord({ name, ...fields }),
  });
  return getPlan(context, id);
};

/**
 * Changes a plan, for all workspaces that have it.
 *
 * @throws Problem not-found, precondition-failed, unprocessable, plan-in-use when a workspace that has
 * it would no longer fit
 */
export const updatePlan = async (
  context: RequestContext,
  planId: string,
  change: UpdatePlan,
): Promise<PlanRow> => {
  const before = await getPlanToChange(context, planId);
  assertVersion(context, before.version);
  const after = { ...toFields(before), ...withoutUndefined(change) };
  assertNodes(after);
  await assertAllFit(context, before, after);
  await updatePlanRow(context.tx, planId, after);
  await recordPlatformChange(context, {
    action: 'plan.update',
    targetId: planId,
    before: toRecord(toFields(before)),
    after: toRecord(after),
  });
  return getPlan(context, planId);
};

/**
 * Offers a plan no longer: who has it keeps it.
 *
 * @throws Problem not-found
 */
export const retirePlan = async (context: RequestContext, planId: string): Promise<PlanRow> => {
  const before = await getPlanToChange(context, planId);
  if (before.retired_at !== null) return before;
  await retirePlanRow(context.tx, planId);
  await recordPlatformChange(context, {
    action: 'plan.retire',
    targetId: planId,
    before: { name: before.name },
  });
  return getPlan(context, planId);
};

const getPlanToChange = async (context: RequestContext, planId: string): Promise<PlanRow> => {
  await lockPlan(context.tx, planId);
  const plan = await findPlanToChange(context.tx, planId);
  if (!plan) throw notFound();
  return plan;
};

const assertNodes = ({ isolation, node_selector: selector }: PlanFields): void => {
  if (isolation === 'shared' || Object.keys(selector).length > 0) return;
  throw bodyProblem(
    PROBLEMS.unprocessable,
    ['node_selector'],
    'Dedicated nodes are found by their labels: name at least one.',
  );
};

const assertAllFit = async (
  { tx }: RequestContext,
  before: PlanRow,
  after: PlanFields,
): Promise<void> => {
  const limits = {
    name: before.name,
    retired: false,
    projectQuota: after.project_quota,
    maxProjects: after.max_projects,
  };
  const beyond = (await listPlanUsage(tx, before.id)).filter(({ projects, quotas }) => {
    const planned = Array.from({ length: projects }, (_, i) => ({
      id: `${i}`,
      name: `${i}`,
      quota: quotas[i] ?? null,
    }));
    return listMisfits(limits, planned).length > 0;
  });
  if (beyond.length === 0) return;
  throw new Problem(
    PROBLEMS.planInUse,
    `${beyond.length} ${beyond.length === 1 ? 'workspace has' : 'workspaces have'} more than the plan would allow then. Make a new plan, and retire this one.`,
  );
};

const toFields = (row: PlanRow): PlanFields => {
  const { id: _, name: __, version: ___, retired_at: ____, ...fields } = row;
  return fields;
};

const withoutUndefined = (change: UpdatePlan): Partial<PlanFields> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

const toRecord = (plan: object) => JSON.parse(JSON.stringify(plan));

const isNameTaken = (error: unknown): boolean => violates(error, 'plan__name__unique');

const nameTaken = (name: string): Problem =>
  bodyProblem(PROBLEMS.alreadyExists, ['name'], `There is a plan "${name}" already.`);
