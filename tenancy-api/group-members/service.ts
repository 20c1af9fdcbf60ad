/** Who is put into which group. Runs under the workspace's lock. */
import type { WorkspaceAccess } from '../access.ts';
import { assertAdminRemains } from '../admins.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { getGroup } from '../groups/service.ts';
import { insertMembers, isPersonVisible, provisionPeople } from '../members/queries.ts';
import type { MemberRow } from '../members/schema.ts';
import { notFound } from '../problems.ts';
import {
  deleteGroupMember,
  type GroupMembership,
  getGroupMember,
  insertGroupMembers,
} from './queries.ts';

/**
 * Puts a person whom the caller can see into a group, and so into the workspace; again changes
 * nothing.
 *
 * @throws Problem not-found for an unknown group or person
 */
export const addGroupMember = async (
  context: RequestContext,
  access: WorkspaceAccess,
  membership: GroupMembership,
): Promise<MemberRow> => {
  await getGroup(context, access.workspaceId, membership.groupId);
  if (!(await isPersonVisible(context.tx, membership.personId))) throw notFound();
  return putIntoGroup(context, access, membership);
};

/**
 * Puts whoever signs in with an identity into a group; they needn't have signed in before.
 *
 * @throws Problem not-found for an unknown group
 */
export const addIdentityToGroup = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: { readonly groupId: string; readonly connector: string; readonly subject: string },
): Promise<MemberRow> => {
  const { groupId, connector, subject } = input;
  await getGroup(context, access.workspaceId, groupId);
  const people = await provisionPeople(context.tx, connector, [subject]);
  const personId = people.get(subject);
  if (personId === undefined) throw new Error('provision_people left a subject out');
  return putIntoGroup(context, access, { groupId, personId });
};

const putIntoGroup = async (
  context: RequestContext,
  access: WorkspaceAccess,
  membership: GroupMembership,
): Promise<MemberRow> => {
  const { workspaceId } = access;
  await insertMembers(context.tx, workspaceId, [membership.personId]);
  const added = await insertGroupMembers(context.tx, workspaceId, [membership]);
  if (added > 0) {
    await recordChange(context, {
      ...access,
      action: 'group-member.add',
      targetId: membership.groupId,
      after: { person_id: membership.personId },
    });
  }
  return getGroupMember(context.tx, workspaceId, membership);
};

/**
 * Takes a direct member out of a group; they stay a member of the workspace.
 *
 * @throws Problem not-found, last-admin
 */
export const removeGroupMember = async (
  context: RequestContext,
  access: WorkspaceAccess,
  membership: GroupMembership,
): Promise<void> => {
  const { workspaceId } = access;
  await getGroup(context, workspaceId, membership.groupId);
  if (!(await deleteGroupMember(context.tx, workspaceId, membership))) throw notFound();
  await assertAdminRemains(context.tx, workspaceId);
  await recordChange(context, {
    ...access,
    action: 'group-member.remove',
    targetId: membership.groupId,
    before: { person_id: membership.personId },
  });
};
