/** How groups are made, moved and deleted. Runs under the workspace's lock. */
import { violates } from '#database/constraint.ts';
import {
  createGroupTree,
  isTooDeep,
  MAX_GROUP_DEPTH,
  type ParentRefusal,
  refuseParent,
} from '#domain/group-tree.ts';
import { createId } from '#domain/identifiers.ts';
import { MEMBERS_GROUP } from '#domain/presets.ts';
import type { WorkspaceAccess } from '../access.ts';
import { assertAdminRemains, withinOwnTime } from '../admins.ts';
import { recordChange, recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { findGroupEffect } from './effect.ts';
import type { GroupEffect } from './effect-schema.ts';
import {
  countLevels,
  deleteGroup as deleteGroupRow,
  findGroup,
  findGroupByName,
  hasRoleAssignments,
  insertGroups,
  listGroupAndAncestors,
  updateGroups,
} from './queries.ts';
import type { CreateGroup, GroupRow, UpdateGroup } from './schema.ts';

/** @throws Problem not-found when this workspace has no such group */
export const getGroup = async (
  { tx }: RequestContext,
  workspaceId: string,
  groupId: string | null,
): Promise<GroupRow> => {
  const group = await findGroup(tx, workspaceId, groupId);
  if (!group) throw notFound();
  return group;
};

/**
 * Makes a group, below WorkspaceMembers unless told otherwise.
 *
 * @throws Problem invalid-parent, already-exists (also when the name differs only by case)
 */
export const createGroup = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: CreateGroup,
): Promise<GroupRow> => {
  const { workspaceId } = access;
  const parent =
    input.parent === undefined
      ? await findGroupByName(context.tx, workspaceId, MEMBERS_GROUP)
      : await findGroup(context.tx, workspaceId, input.parent);
  if (!parent) throw parentProblem('unknown-parent');
  const id = createId();
  await assertParent(context, workspaceId, { id, parentId: parent.id, levels: 1 });
  const { name, display_name: displayName = name } = input;
  const groups = [{ id, name, displayName, parentId: parent.id }];
  await insertGroups(context.tx, workspaceId, { groups, preset: false }).catch((error: unknown) => {
    throw isNameTaken(error) ? nameTaken(name) : error;
  });
  await recordChange(context, {
    ...access,
    action: 'group.create',
    targetId: id,
    after: { name, display_name: displayName, parent_id: parent.id },
  });
  return getGroup(context, workspaceId, id);
};

const isNameTaken = (error: unknown): boolean =>
  violates(error, 'workspace_group__workspace_id_name__unique');

const nameTaken = (name: string): Problem =>
  bodyProblem(
    PROBLEMS.alreadyExists,
    ['name'],
    `The workspace has a group "${name}" already; names that differ only by case are the same.`,
  );

const PARENT_REFUSALS = {
  'unknown-parent': 'There is no such group in this workspace.',
  'own-parent': 'A group can’t be its own parent.',
  descendant: 'The parent is below the group itself; that would be a cycle.',
  'too-deep': `The tree of groups would have more than ${MAX_GROUP_DEPTH} levels.`,
} as const satisfies Record<NonNullable<ParentRefusal> | 'too-deep', string>;

const parentProblem = (refusal: keyof typeof PARENT_REFUSALS): Problem =>
  bodyProblem(PROBLEMS.invalidParent, ['parent'], PARENT_REFUSALS[refusal]);

/**
 * Renames or moves a group.
 *
 * @returns the group, and what a move does to members; `null` when it didn't move
 * @throws Problem precondition-failed, preset-protected, invalid-parent, last-admin
 */
export const updateGroup = async (
  context: RequestContext,
  { access, groupId, change }: { access: WorkspaceAccess; groupId: string; change: UpdateGroup },
): Promise<{ group: GroupRow; effect: GroupEffect | null }> => {
  const { workspaceId } = access;
  const before = await getGroup(context, workspaceId, groupId);
  assertVersion(context, before.version);
  refusePreset(before);
  const parentId =
    change.parent === undefined
      ? before.parent_id
      : await getNewParent(context, { workspaceId, group: before, parentId: change.parent });
  const displayName = change.display_name ?? before.display_name;
  const moved = parentId !== before.parent_id;
  if (!moved && displayName === before.display_name) return { group: before, effect: null };
  const effect = moved ? await findGroupEffect(context, { workspaceId, groupId, parentId }) : null;
  await withinOwnTime(context, workspaceId, () =>
    updateGroups(context.tx, workspaceId, [{ id: groupId, displayName, parentId }]),
  );
  if (moved) await assertAdminRemains(context.tx, workspaceId);
  await recordChange(context, {
    ...access,
    action: moved ? 'group.move' : 'group.rename',
    targetId: groupId,
    before: { display_name: before.display_name, parent_id: before.parent_id },
    after: { display_name: displayName, parent_id: parentId },
  });
  return { group: await getGroup(context, workspaceId, groupId), effect };
};

const refusePreset = (group: GroupRow): void => {
  if (!group.preset) return;
  throw new Problem(
    PROBLEMS.presetProtected,
    `"${group.name}" is a preset group: it can't be renamed, moved or deleted. Make a group below it instead.`,
  );
};

const assertParent = async (
  { tx }: RequestContext,
  workspaceId: string,
  place: { readonly id: string; readonly parentId: string; readonly levels: number },
): Promise<void> => {
  const above = await listGroupAndAncestors(tx, workspaceId, place.parentId);
  const tree = createGroupTree(above);
  const refusal = refuseParent(tree, place.id, place.parentId);
  if (refusal !== null) throw parentProblem(refusal);
  if (isTooDeep(tree, place.parentId, place.levels)) throw parentProblem('too-deep');
};

const getNewParent = async (
  context: RequestContext,
  move: { workspaceId: string; group: GroupRow; parentId: string },
): Promise<string> => {
  const { workspaceId, group, parentId } = move;
  const levels = await countLevels(context.tx, workspaceId, group.id);
  await assertParent(context, workspaceId, { id: group.id, parentId, levels });
  return parentId;
};

/**
 * Deletes a group, its memberships and the roles it holds.
 *
 * @returns what that does to members, and the task that takes its roles away in the cluster, or
 * `null` when it held none
 * @throws Problem preset-protected, group-has-children, last-admin
 */
export const deleteGroup = async (
  context: RequestContext,
  access: WorkspaceAccess,
  groupId: string,
): Promise<{ effect: GroupEffect; task: TaskRow | null }> => {
  const { workspaceId } = access;
  const group = await getGroup(context, workspaceId, groupId);
  refusePreset(group);
  const effect = await findGroupEffect(context, { workspaceId, groupId, parentId: undefined });
  const heldRoles = await hasRoleAssignments(context.tx, workspaceId, groupId);
  await deleteGroupRow(context.tx, workspaceId, groupId).catch((error: unknown) => {
    throw isParent(error) ? hasChildren(group) : error;
  });
  await assertAdminRemains(context.tx, workspaceId);
  const before = {
    name: group.name,
    display_name: group.display_name,
    parent_id: group.parent_id,
  };
  const change = { ...access, action: 'group.delete', targetId: groupId, before };
  if (heldRoles) return { effect, task: await recordClusterChange(context, change) };
  await recordChange(context, change);
  return { effect, task: null };
};

const isParent = (error: unknown): boolean =>
  violates(error, 'workspace_group__workspace_id_parent_id__fkey');

const hasChildren = (group: GroupRow): Problem =>
  new Problem(
    PROBLEMS.groupHasChildren,
    `There are groups below "${group.name}". Move or delete them first.`,
  );
