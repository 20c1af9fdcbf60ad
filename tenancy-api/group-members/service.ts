/** Who is put into which group, and for how long. Runs under the workspace's lock. */
import { MEMBERSHIP_RECORDS } from '#database/changes.ts';
import type { WorkspaceAccess } from '../access.ts';
import { assertAdminRemains, withinOwnTime } from '../admins.ts';
import { recordChange } from '../change.ts';
import { getConnector } from '../connectors/service.ts';
import type { RequestContext } from '../context.ts';
import { getGroup } from '../groups/service.ts';
import { insertMembers, isPersonVisible, provisionPeople } from '../members/queries.ts';
import { mappedMembership } from '../members/service.ts';
import { notFound } from '../problems.ts';
import {
  deleteGroupMembership,
  findGroupMembership,
  type GroupMembership,
  isMapped,
  listGroupMembers,
  upsertGroupMembership,
} from './queries.ts';
import type { GroupMemberRow } from './schema.ts';

/** Until when a membership shall hold: for good by `null`, as it was by `undefined`. */
type NewExpiry = string | null | undefined;

/**
 * Puts a person whom the caller can see into a group, and so into the workspace, or changes how long
 * they are in it.
 *
 * @throws Problem not-found for an unknown group or person, last-admin
 */
export const setGroupMember = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: { readonly groupId: string; readonly personId: string; readonly expiresAt: NewExpiry },
): Promise<GroupMemberRow> => {
  const { groupId, personId, expiresAt } = input;
  await getGroup(context, access.workspaceId, groupId);
  if (!(await isPersonVisible(context.tx, personId))) throw notFound();
  await insertMembers(context.tx, access.workspaceId, [personId]);
  return setMembership(context, access, {
    kind: 'person',
    groupId,
    memberId: personId,
    expiresAt,
  });
};

/**
 * Puts whoever signs in with an identity into a group; they needn't have signed in before.
 *
 * @throws Problem not-found for an unknown group, unprocessable for an unknown connector, last-admin
 */
export const addIdentityToGroup = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: {
    readonly groupId: string;
    readonly connector: string;
    readonly subject: string;
    readonly expiresAt: NewExpiry;
  },
): Promise<GroupMemberRow> => {
  const { groupId, connector, subject, expiresAt } = input;
  await getGroup(context, access.workspaceId, groupId);
  await getConnector(context, connector);
  const people = await provisionPeople(context.tx, connector, [subject]);
  const personId = people.get(subject);
  if (personId === undefined) throw new Error('provision_people left a subject out');
  await insertMembers(context.tx, access.workspaceId, [personId]);
  return setMembership(context, access, {
    kind: 'person',
    groupId,
    memberId: personId,
    expiresAt,
  });
};

/**
 * Makes a direct membership of someone who is known to belong to the workspace, or changes its end.
 *
 * @throws Problem last-admin when that would end the time of the last admin who is one for good,
 * forbidden when it would make an admin for longer than the caller is one
 */
export const setMembership = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: GroupMembership & { readonly expiresAt: NewExpiry },
): Promise<GroupMemberRow> => {
  const { workspaceId } = access;
  const { kind, groupId, memberId } = input;
  const before = await findGroupMembership(context.tx, workspaceId, input);
  const old = before?.expires_at ?? null;
  const expiresAt = toDate(input.expiresAt, old);
  if (!before || old?.getTime() !== expiresAt?.getTime()) {
    const membership = { kind, groupId, memberId, expiresAt };
    await withinOwnTime(context, workspaceId, () =>
      upsertGroupMembership(context.tx, workspaceId, membership),
    );
    if (kind === 'person' && before && expiresAt) await assertAdminRemains(context.tx, workspaceId);
    const { action, member } = MEMBERSHIP_RECORDS[kind];
    const describe = (end: Date | null) => ({
      [member]: memberId,
      expires_at: end?.toISOString() ?? null,
    });
    await recordChange(context, {
      ...access,
      action: `${action}.${before ? 'update' : 'add'}`,
      targetId: groupId,
      ...(before && { before: describe(old) }),
      after: describe(expiresAt),
    });
  }
  return getMember(context, workspaceId, input);
};

const toDate = (expiresAt: NewExpiry, old: Date | null): Date | null => {
  if (expiresAt === undefined) return old;
  return expiresAt === null ? null : new Date(expiresAt);
};

const getMember = async (
  { tx }: RequestContext,
  workspaceId: string,
  { kind, groupId, memberId }: GroupMembership,
): Promise<GroupMemberRow> => {
  const filter = { workspaceId, groupId, kind, memberId, effective: false };
  const [row] = await listGroupMembers(tx, filter, { after: null, take: 1 });
  if (!row) throw new Error('a membership that was just made is gone');
  return row;
};

/**
 * Takes a direct member out of a group; they stay in the workspace. What mappings give stays too.
 *
 * @throws Problem not-found, last-admin, mapped-membership for whom only mappings make a member
 */
export const removeMembership = async (
  context: RequestContext,
  access: WorkspaceAccess,
  membership: GroupMembership,
): Promise<void> => {
  const { workspaceId } = access;
  const { kind, groupId, memberId } = membership;
  const group = await getGroup(context, workspaceId, groupId);
  if (!(await deleteGroupMembership(context.tx, workspaceId, membership))) {
    const asPerson = { groupId, personId: memberId };
    if (kind === 'person' && (await isMapped(context.tx, workspaceId, asPerson))) {
      throw mappedMembership(group.name);
    }
    throw notFound();
  }
  if (kind === 'person') await assertAdminRemains(context.tx, workspaceId);
  const { action, member } = MEMBERSHIP_RECORDS[kind];
  await recordChange(context, {
    ...access,
    action: `${action}.remove`,
    targetId: groupId,
    before: { [member]: memberId },
  });
};
