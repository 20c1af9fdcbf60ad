/** How projects come, change and go. Runs under the workspace's lock. */
import { isDeepStrictEqual } from 'node:util';
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange, recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import type { PlanRow } from '../plans/schema.ts';
import { holdPlanOfWorkspace } from '../plans/service.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { assertParent, describeMove } from './place.ts';
import {
  countContents,
  countProjects,
  deleteProject as deleteProjectRow,
  findProject,
  insertProject,
  listChildNames,
  listProjectNodes,
  type ProjectValues,
  updateProject as updateProjectRow,
} from './queries.ts';
import { assertQuota } from './quota.ts';
import type { CreateProject, Move, ProjectContents, ProjectRow, UpdateProject } from './schema.ts';

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
 * @throws Problem plan-limit-reached, quota-refused, invalid-parent, already-exists
 */
export const createProject = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: CreateProject,
): Promise<{ project: ProjectRow; task: TaskRow }> => {
  const { workspaceId } = access;
  const id = createId();
  const { name, parent: parentId = null, quota = null, display_name: displayName = name } = input;
  const plan = await holdPlanOfWorkspace(context, workspaceId);
  await refuseTooMany(context, workspaceId, plan);
  if (quota) assertQuota(quota, plan);
  if (parentId !== null) await assertParent(context, workspaceId, { id, parentId });
  const values = { id, workspaceId, name, displayName, parentId, quota };
  const project = await insertProject(context.tx, values).catch((error: unknown) => {
    throw isNameTaken(error) ? nameTaken(name) : error;
  });
  const task = await recordClusterChange(context, {
    ...access,
    action: 'project.create',
    targetId: id,
    projectId: id,
    after: toRecord(project),
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

const isNameTaken = (error: unknown): boolean =>
  violates(error, 'project__workspace_id_name__unique');

const nameTaken = (name: string): Problem =>
  bodyProblem(PROBLEMS.alreadyExists, ['name'], `The workspace has a project "${name}" already.`);

/** A changed project; the task is `null` when no cluster has to hear of it. */
export type ProjectChange = {
  readonly project: ProjectRow;
  readonly move: Move | null;
  readonly task: TaskRow | null;
};

/**
 * Renames, limits or moves a project; what is below it goes along.
 *
 * @throws Problem not-found, precondition-failed, quota-refused, invalid-parent
 */
export const updateProject = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { projectId, change }: { projectId: string; change: UpdateProject },
): Promise<ProjectChange> => {
  const { tx } = context;
  const { workspaceId } = access;
  const before = await getProject(context, workspaceId, projectId);
  assertVersion(context, before.version);
  const values = await toValues(context, { workspaceId, before, change });
  const moves = values.parentId !== before.parent_id;
  if (isDeepStrictEqual(values, valuesOf(before))) {
    return { project: before, move: null, task: null };
  }
  const tree = moves ? await listProjectNodes(tx, workspaceId) : [];
  const project = await updateProjectRow(tx, workspaceId, { id: projectId, ...values });
  const place = { workspaceId, projectId };
  const move = moves
    ? await describeMove(context, place, {
        before: tree,
        after: await listProjectNodes(tx, workspaceId),
      })
    : null;
  const task = await recordUpdate(context, access, { before, project });
  return { project, move, task };
};

const toValues = async (
  context: RequestContext,
  update: {
    readonly workspaceId: string;
    readonly before: ProjectRow;
    readonly change: UpdateProject;
  },
): Promise<ProjectValues> => {
  const { workspaceId, before, change } = update;
  const { display_name: displayName = before.display_name, quota = before.quota } = change;
  const { parent: parentId = before.parent_id } = change;
  if (change.quota) assertQuota(change.quota, await holdPlanOfWorkspace(context, workspaceId));
  if (parentId !== null && parentId !== before.parent_id) {
    await assertParent(context, workspaceId, { id: before.id, parentId });
  }
  return { displayName, quota, parentId };
};

const valuesOf = (row: ProjectRow): ProjectValues => ({
  displayName: row.display_name,
  parentId: row.parent_id,
  quota: row.quota,
});

/** A name for people is not the cluster's; a quota is of one namespace, a move of all below as well. */
const recordUpdate = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { before, project }: { readonly before: ProjectRow; readonly project: ProjectRow },
): Promise<TaskRow | null> => {
  const moves = before.parent_id !== project.parent_id;
  const record = {
    ...access,
    action: moves ? 'project.move' : 'project.update',
    targetId: project.id,
    before: toRecord(before),
    after: toRecord(project),
  };
  if (moves) return recordClusterChange(context, { ...record, projectId: project.id });
  if (!isDeepStrictEqual(before.quota, project.quota)) {
    return recordClusterChange(context, { ...record, namespace: project.name });
  }
  await recordChange(context, record);
  return null;
};

/** What goes with a project that is deleted. */
export type DeletedProject = {
  readonly project: ProjectRow;
  readonly contents: ProjectContents;
  readonly task: TaskRow;
};

/**
 * Deletes a project and everything in its namespace.
 *
 * @param confirm must be the project's name, but in a dry run
 * @throws Problem not-found, project-has-children, unprocessable without the confirmation
 */
export const deleteProject = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { projectId, confirm }: { projectId: string; confirm: string | undefined },
): Promise<DeletedProject> => {
  const { tx } = context;
  const { workspaceId } = access;
  const project = await getProject(context, workspaceId, projectId);
  if (!context.dryRun) assertConfirmed(project, confirm);
  await refuseChildren(context, workspaceId, project);
  const contents = await countContents(tx, workspaceId, projectId);
  await deleteProjectRow(tx, workspaceId, projectId);
  const task = await recordClusterChange(context, {
    ...access,
    action: 'project.delete',
    targetId: projectId,
    namespace: project.name,
    before: toRecord(project),
  });
  return { project, contents, task };
};

const assertConfirmed = ({ name }: ProjectRow, confirm: string | undefined): void => {
  if (confirm === name) return;
  const detail = `This deletes everything in the namespace "${name}". See what goes with ?dry_run=true, and confirm it with ?confirm=${name}.`;
  throw new Problem(PROBLEMS.unprocessable, detail, {
    errors: [{ parameter: 'confirm', detail: 'Must be the name of the project.' }],
  });
};

const LONGEST_LIST = 10;

const refuseChildren = async (
  { tx }: RequestContext,
  workspaceId: string,
  { id: projectId, name }: ProjectRow,
): Promise<void> => {
  const children = await listChildNames(tx, workspaceId, { projectId, take: LONGEST_LIST + 1 });
  if (children.length === 0) return;
  const shown = children.slice(0, LONGEST_LIST).join(', ');
  const more = children.length > LONGEST_LIST ? ' and more' : '';
  throw new Problem(
    PROBLEMS.projectHasChildren,
    `There are projects below "${name}": ${shown}${more}. Move or delete them first.`,
  );
};

const toRecord = ({ name, display_name, parent_id, quota }: ProjectRow) => ({
  name,
  display_name,
  parent_id,
  quota,
});
