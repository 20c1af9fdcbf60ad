/** How projects come and go. Runs under the workspace's lock. */
import { UniqueIntegrityConstraintViolationError } from 'slonik';
import { createId } from '#domain/identifiers.ts';
import { listQuotaExcess, type ResourceQuotaHard } from '#domain/plan.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { getPlanOfWorkspace } from '../plans/queries.ts';
import type { PlanRow } from '../plans/schema.ts';
import { bodyProblem, notFound, PROBLEMS, Problem, toPointer } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import {
  countProjects,
  deleteProject as deleteProjectRow,
  findProject,
  insertProject,
} from './queries.ts';
import type { CreateProject, ProjectRow } from './schema.ts';

/** @throws Problem not-found when this workspace has no such project */
export const getProject = async (
  { tx }: RequestContext,
  workspaceId: string,
  projectId: string,
): Promise<ProjectRow> => {
  const project = await findProject(tx, workspaceId, projectId);
  if (!project) throw notFound();
  return project;
};

/**
 * Makes a project within the workspace's plan.
 *
 * @throws Problem plan-limit-reached, quota-refused, already-exists
 */
export const createProject = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: CreateProject,
): Promise<{ project: ProjectRow; task: TaskRow }> => {
  const { workspaceId } = access;
  const plan = await getPlanOfWorkspace(context.tx, workspaceId);
  await refuseTooMany(context, workspaceId, plan);
  const quota = input.quota ?? null;
  if (quota) refuseQuota(quota, plan);
  const { name, display_name: displayName = name } = input;
  const values = { id: createId(), workspaceId, name, displayName, quota };
  const project = await insertProject(context.tx, values).catch((error: unknown) => {
    throw isNameTaken(error) ? nameTaken(name) : error;
  });
  const task = await recordClusterChange(context, {
    ...access,
    action: 'project.create',
    targetId: project.id,
    projectId: project.id,
    after: { name, display_name: displayName, quota },
  });
  return { project, task };
};

const refuseTooMany = async (
  { tx }: RequestContext,
  workspaceId: string,
  plan: PlanRow,
): Promise<void> => {
  if ((await countProjects(tx, workspaceId)) < plan.max_projects) return;
  throw new Problem(
    PROBLEMS.planLimitReached,
    `The plan "${plan.name}" allows ${plan.max_projects} projects. Delete one, or change the plan.`,
  );
};

const refuseQuota = (quota: ResourceQuotaHard, plan: PlanRow): void => {
  const excess = listQuotaExcess(quota, plan.project_quota);
  if (excess.length === 0) return;
  throw new Problem(
    PROBLEMS.quotaRefused,
    `The plan "${plan.name}" doesn’t allow this quota; see errors.`,
    {
      errors: excess.map((resource) => ({
        pointer: toPointer(['quota', resource]),
        detail:
          plan.project_quota[resource] === undefined
            ? 'The plan has no limit for this resource, so a quota can’t name it.'
            : `At most ${plan.project_quota[resource]}.`,
      })),
    },
  );
};

const isNameTaken = (error: unknown): boolean =>
  error instanceof UniqueIntegrityConstraintViolationError &&
  error.constraint === 'project__workspace_id_name__unique';

const nameTaken = (name: string): Problem =>
  bodyProblem(PROBLEMS.alreadyExists, ['name'], `The workspace has a project "${name}" already.`);

/**
 * Deletes a project and everything in its namespace.
 *
 * @param confirm must be the project's name
 * @throws Problem not-found, unprocessable without the confirmation
 */
export const deleteProject = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { projectId, confirm }: { projectId: string; confirm: string | undefined },
): Promise<TaskRow> => {
  const project = await getProject(context, access.workspaceId, projectId);
  if (confirm !== project.name) {
    const detail = `This deletes everything in the namespace "${project.name}". Confirm it with ?confirm=${project.name}.`;
    throw new Problem(PROBLEMS.unprocessable, detail, {
      errors: [{ parameter: 'confirm', detail: 'Must be the name of the project.' }],
    });
  }
  await deleteProjectRow(context.tx, access.workspaceId, projectId);
  return recordClusterChange(context, {
    ...access,
    action: 'project.delete',
    targetId: projectId,
    namespace: project.name,
    before: { name: project.name, display_name: project.display_name, quota: project.quota },
  });
};
