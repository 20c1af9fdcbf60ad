/** Changes of a workspace's plan: what they would mean, and doing them. Runs under the workspace's lock. */
import { isDeepStrictEqual } from 'node:util';
import { formatId, parseId } from '#domain/identifiers.ts';
import { diffQuota, listMisfits, type PlanLimits } from '#domain/plan-change.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { findNamedPlan, holdPlan } from '../plans/queries.ts';
import type { PlanRow } from '../plans/schema.ts';
import { getPlan } from '../plans/service.ts';
import { bodyProblem, PROBLEMS, Problem, toPointer } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { listPlannedProjects, updatePlan } from './life-queries.ts';
import { type PlanChange, toDifferences, toMisfit } from './life-schema.ts';
import { getWorkspace } from './queries.ts';
import type { WorkspaceRow } from './schema.ts';

/** The workspace after it; no task in a dry run and when it has the plan already. */
export type ChangedPlan = {
  readonly workspace: WorkspaceRow;
  readonly change: PlanChange;
  readonly task: TaskRow | null;
};

/**
 * Gives a workspace another plan if it fits; in a dry run it says what would be.
 *
 * @throws Problem unprocessable for an unknown plan, plan-does-not-fit with every reason,
 * workspace-deleting
 */
export const changePlan = async (
  context: RequestContext,
  access: WorkspaceAccess,
  name: string,
): Promise<ChangedPlan> => {
  const { tx, personId, dryRun } = context;
  const workspace = await getWorkspace(tx, access.workspaceId, personId);
  const planId = await getPlanId(context, name);
  await holdPlan(tx, planId);
  const [from, to] = [await getPlan(context, workspace.plan.id), await getPlan(context, planId)];
  const change = await describeChange(context, workspace.id, { from, to });
  if (dryRun || from.id === to.id) return { workspace, change, task: null };
  refuse(workspace, change);
  await updatePlan(tx, workspace.id, to.id);
  const task = await recordClusterChange(context, {
    workspaceId: access.workspaceId,
    organizationId: access.organizationId,
    action: 'workspace.change-plan',
    targetId: workspace.id,
    before: { plan: from.name },
    after: { plan: to.name },
  });
  return { workspace: await getWorkspace(tx, workspace.id, personId), change, task };
};

const getPlanId = async ({ tx }: RequestContext, name: string): Promise<string> => {
  const plan = await findNamedPlan(tx, { id: parseId('plan', name) ?? null, name });
  if (plan) return plan.id;
  throw bodyProblem(PROBLEMS.unprocessable, ['plan'], 'There is no such plan; see /v1/plans.');
};

const describeChange = async (
  { tx }: RequestContext,
  workspaceId: string,
  { from, to }: { readonly from: PlanRow; readonly to: PlanRow },
): Promise<PlanChange> => {
  const projects = await listPlannedProjects(tx, workspaceId);
  // Who has a plan keeps it, whatever it has become since.
  const misfits = from.id === to.id ? [] : listMisfits(toLimits(to), projects);
  return {
    from: toSummary(from),
    to: toSummary(to),
    fits: misfits.length === 0,
    misfits: misfits.map(toMisfit),
    project_quota: toDifferences(diffQuota(from.project_quota, to.project_quota)),
    workspace_quota: toDifferences(diffQuota(from.workspace_quota, to.workspace_quota)),
    limit_range_changes: !isDeepStrictEqual(from.limit_range, to.limit_range),
    network_policy_changes: from.network_policy !== to.network_policy,
  };
};

const toLimits = (row: PlanRow): PlanLimits => ({
  name: row.name,
  retired: row.retired_at !== null,
  projectQuota: row.project_quota,
  maxProjects: row.max_projects,
});

const toSummary = ({ id, name, max_projects, isolation }: PlanRow): PlanChange['to'] => ({
  id: formatId('plan', id),
  name,
  max_projects,
  isolation,
});

const refuse = ({ state }: WorkspaceRow, { to, misfits }: PlanChange): void => {
  if (state === 'deleting') {
    throw new Problem(PROBLEMS.workspaceDeleting, 'It is being deleted. Restore it first.');
  }
  if (misfits.length === 0) return;
  throw new Problem(
    PROBLEMS.planDoesNotFit,
    `The workspace does not fit the plan "${to.name}"; see errors. Make it smaller, or choose another plan.`,
    { errors: misfits.map(({ detail }) => ({ pointer: toPointer(['plan']), detail })) },
  );
};
