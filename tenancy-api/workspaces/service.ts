/** How workspaces come to be, and how their members reach them. */
import { violates } from '#database/constraint.ts';
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import { createId, formatId, parseId } from '#domain/identifiers.ts';
import { MAX_WORKSPACES_PER_ORGANIZATION } from '#domain/plan.ts';
import { ADMINS_GROUP, PRESET_GROUPS } from '#domain/presets.ts';
import { toSlug } from '#domain/slug.ts';
import type { WorkspaceAccess } from '../access.ts';
import { insertAttachedCluster } from '../attached-clusters/queries.ts';
import { sealKubeconfig } from '../attached-clusters/service.ts';
import { recordChange, startTask } from '../change.ts';
import type { RequestContext } from '../context.ts';
import type { SortedPageRequest } from '../cursor.ts';
import { assertVersion } from '../etag.ts';
import { insertGroupMembers } from '../group-members/queries.ts';
import { insertGroups } from '../groups/queries.ts';
import { insertFirstMember } from '../members/queries.ts';
import { getOrganization, refuseDeleting } from '../organizations/service.ts';
import { findOfferedPlan } from '../plans/queries.ts';
import type { PlanRow } from '../plans/schema.ts';
import { bodyProblem, PROBLEMS, Problem } from '../problems.ts';
import { insertRoleAssignment } from '../role-assignments/queries.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import {
  countWorkspaces,
  getWorkspace,
  hasProject,
  insertWorkspace,
  listWorkspaces,
  renameWorkspace,
} from './queries.ts';
import type {
  CreateWorkspace,
  KubeconfigQuery,
  ListWorkspacesQuery,
  UpdateWorkspace,
  WorkspaceRow,
} from './schema.ts';

const RETRY_AFTER_SECONDS = '5';

/**
 * Makes a workspace with its preset groups, its creator as a member of WSAdmins, and WSAdmins as its
 * admins; rbac-sync then provisions the cluster.
 *
 * @throws Problem organization-deleting, unprocessable for an unknown plan or a kubeconfig that is no good,
 * organization-limit-reached, already-exists for a taken slug
 */
export const createWorkspace = async (
  context: RequestContext,
  organizationId: string,
  input: CreateWorkspace,
): Promise<{ workspace: WorkspaceRow; task: TaskRow }> => {
  refuseDeleting(await getOrganization(context, organizationId));
  const plan = await getOfferedPlan(context, input.plan);
  await assertRoomForWorkspace(context, organizationId);
  const id = createId();
  const cluster =
    input.cluster &&
    (await sealKubeconfig(context, { ...input.cluster, workspaceId: id }, [
      'cluster',
      'kubeconfig',
    ]));
  const slug = input.slug ?? toSlug(input.name, 'workspace');
  const { generation } = await insertWorkspace(context.tx, {
    id,
    organizationId,
    slug,
    name: input.name,
    planId: plan.id,
    provisioner: cluster ? ATTACHED_PROVISIONER : null,
  }).catch((error: unknown) => {
    throw isSlugTaken(error) ? slugTaken(slug) : error;
  });
  if (cluster) await insertAttachedCluster(context.tx, { workspaceId: id, sealed: cluster.sealed });
  await fillWithPresets(context, id);
  const attached = cluster && { cluster: { server: cluster.server } };
  const after = { slug, name: input.name, plan: plan.name, ...attached };
  const action = 'workspace.create';
  await recordChange(context, { action, organizationId, workspaceId: id, targetId: id, after });
  const task = await startTask(context, { action, workspaceId: id, generation });
  return { workspace: await getWorkspace(context.tx, id, context.personId), task };
};

const assertRoomForWorkspace = async (
  { tx }: RequestContext,
  organizationId: string,
): Promise<void> => {
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
  violates(error, 'workspace__organization_id_slug__unique');

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

/** One page of the workspaces that the caller can see; none for an organization that is not there. */
export const listVisibleWorkspaces = async (
  { tx, personId }: RequestContext,
  { organization, state }: ListWorkspacesQuery,
  page: SortedPageRequest,
): Promise<readonly WorkspaceRow[]> => {
  const organizationId = organization === undefined ? null : parseId('organization', organization);
  if (organizationId === undefined) return [];
  return listWorkspaces(tx, { personId, organizationId, state: state ?? null }, page);
};

/**
 * Renames a workspace; its slug stays, because addresses and kubeconfigs have it.
 *
 * @throws Problem precondition-failed
 */
export const updateWorkspace = async (
  context: RequestContext,
  { workspaceId, organizationId }: WorkspaceAccess,
  { name }: UpdateWorkspace,
): Promise<WorkspaceRow> => {
  const { tx, personId } = context;
  const before = await getWorkspace(tx, workspaceId, personId);
  assertVersion(context, before.version);
  if (name === undefined || name === before.name) return before;
  await renameWorkspace(tx, workspaceId, name);
  await recordChange(context, {
    action: 'workspace.update',
    organizationId,
    workspaceId,
    targetId: workspaceId,
    before: { name: before.name },
    after: { name },
  });
  return getWorkspace(tx, workspaceId, personId);
};

/**
 * The kubeconfig of a workspace for any of its members: it names no one.
 *
 * @throws Problem unprocessable for a namespace that is no project, not-provisioned while there is no
 * cluster
 */
export const getKubeconfig = async (
  context: RequestContext,
  workspaceId: string,
  { plugin, namespace }: KubeconfigQuery,
): Promise<string> => {
  const row = await getWorkspace(context.tx, workspaceId, context.personId);
  if (namespace !== undefined && !(await hasProject(context.tx, workspaceId, namespace))) {
    const detail = `The workspace has no project "${namespace}".`;
    throw new Problem(PROBLEMS.unprocessable, detail, {
      errors: [{ parameter: 'namespace', detail: 'Must be the name of a project.' }],
    });
  }
  if (row.server === null || row.certificate_authority === null) {
    throw new Problem(
      PROBLEMS.notProvisioned,
      'The cluster is still being made. Follow the task that the creation answered.',
      { headers: { 'Retry-After': RETRY_AFTER_SECONDS } },
    );
  }
  return renderKubeconfig({
    // Neither slug has a slash, so that no two workspaces meet in one name when files are merged.
    name: `${row.organization_slug}/${row.slug}`,
    server: row.server,
    certificateAuthority: row.certificate_authority,
    namespace,
    plugin,
    clientId: formatId('workspace', row.id),
    issuer: context.issuer,
  });
};
