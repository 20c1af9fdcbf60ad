/** How workspaces come to be, and how their members reach them. */
import { UniqueIntegrityConstraintViolationError } from 'slonik';
import { createId, formatId, parseId } from '#domain/identifiers.ts';
import { MAX_WORKSPACES_PER_ORGANIZATION } from '#domain/plan.ts';
import { ADMINS_GROUP, PRESET_GROUPS } from '#domain/presets.ts';
import { toSlug } from '#domain/slug.ts';
import { recordChange, startTask } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { insertGroupMembers } from '../group-members/queries.ts';
import { insertGroups } from '../groups/queries.ts';
import { insertFirstMember } from '../members/queries.ts';
import { findOfferedPlan } from '../plans/queries.ts';
import type { PlanRow } from '../plans/schema.ts';
import { bodyProblem, PROBLEMS, Problem } from '../problems.ts';
import { insertRoleAssignment } from '../role-assignments/queries.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { countWorkspaces, getWorkspace, insertWorkspace, lockWorkspacesOf } from './queries.ts';
import type { CreateWorkspace, KubeconfigQuery, WorkspaceRow } from './schema.ts';

const RETRY_AFTER_SECONDS = '5';

/**
 * Makes a workspace with its preset groups, its creator as a member of WSAdmins, and WSAdmins as its
 * admins; rbac-sync then provisions the cluster.
 *
 * @throws Problem unprocessable for an unknown plan, organization-limit-reached, already-exists for a
 * taken slug
 */
export const createWorkspace = async (
  context: RequestContext,
  organizationId: string,
  input: CreateWorkspace,
): Promise<{ workspace: WorkspaceRow; task: TaskRow }> => {
  const plan = await getOfferedPlan(context, input.plan);
  await assertRoomForWorkspace(context, organizationId);
  const id = createId();
  const slug = input.slug ?? toSlug(input.name, 'workspace');
  const { generation } = await insertWorkspace(context.tx, {
    id,
    organizationId,
    slug,
    name: input.name,
    planId: plan.id,
  }).catch((error: unknown) => {
    throw isSlugTaken(error) ? slugTaken(slug) : error;
  });
  await fillWithPresets(context, id);
  const after = { slug, name: input.name, plan: plan.name };
  const action = 'workspace.create';
  await recordChange(context, { action, organizationId, workspaceId: id, targetId: id, after });
  const task = await startTask(context, { action, workspaceId: id, generation });
  return { workspace: await getWorkspace(context.tx, id, context.personId), task };
};

const assertRoomForWorkspace = async (
  { tx }: RequestContext,
  organizationId: string,
): Promise<void> => {
  await lockWorkspacesOf(tx, organizationId);
  if ((await countWorkspaces(tx, organizationId)) < MAX_WORKSPACES_PER_ORGANIZATION) return;
  throw new Problem(
    PROBLEMS.organizationLimitReached,
    `An organization has at most ${MAX_WORKSPACES_PER_ORGANIZATION} workspaces.`,
  );
};

const getOfferedPlan = async (context: RequestContext, name: string): Promise<PlanRow> => {
  const plan = await findOfferedPlan(context.tx, { name, id: parseId('plan', name) ?? null });
  if (plan) return plan;
  throw bodyProblem(PROBLEMS.unprocessable, ['plan'], 'No such plan is offered; see /v1/plans.');
};

const isSlugTaken = (error: unknown): boolean =>
  error instanceof UniqueIntegrityConstraintViolationError &&
  error.constraint === 'workspace__organization_id_slug__unique';

const slugTaken = (slug: string): Problem =>
  bodyProblem(
    PROBLEMS.alreadyExists,
    ['slug'],
    `The organization has a workspace "${slug}" already; choose another slug.`,
  );

const fillWithPresets = async (
  { tx, personId }: RequestContext,
  workspaceId: string,
): Promise<void> => {
  // The creator's own membership comes first: row-level security lets members write the rest.
  await insertFirstMember(tx, workspaceId, personId);
  const ids = new Map<string, string>(PRESET_GROUPS.map(({ name }) => [name, createId()]));
  const idOf = (name: string): string => ids.get(name) ?? '';
  const groups = PRESET_GROUPS.map(({ name, parent }) => ({
    id: idOf(name),
    name,
    displayName: name,
    parentId: parent && idOf(parent),
  }));
  await insertGroups(tx, workspaceId, { groups, preset: true });
  const groupId = idOf(ADMINS_GROUP);
  await insertGroupMembers(tx, workspaceId, [{ groupId, personId }]);
  await insertRoleAssignment(tx, {
    id: createId(),
    workspaceId,
    groupId,
    projectId: null,
    projectRoleId: null,
    presetRole: 'workspace-admin',
    preset: true,
  });
};

/**
 * The kubeconfig of a workspace for any of its members: it names no one.
 *
 * @throws Problem not-provisioned while there is no cluster
 */
export const getKubeconfig = async (
  context: RequestContext,
  workspaceId: string,
  { plugin, namespace }: KubeconfigQuery,
): Promise<string> => {
  const row = await getWorkspace(context.tx, workspaceId, context.personId);
  if (row.server === null || row.certificate_authority === null) {
    throw new Problem(
      PROBLEMS.notProvisioned,
      'The cluster is still being made. Follow the task that the creation answered.',
      { headers: { 'Retry-After': RETRY_AFTER_SECONDS } },
    );
  }
  return renderKubeconfig({
    name: row.slug,
    server: row.server,
    certificateAuthority: row.certificate_authority,
    namespace,
    plugin,
    clientId: formatId('workspace', row.id),
    issuer: context.issuer,
  });
};
