/** Members of a workspace. One becomes a member by being put into a group, and leaves all at once. */
import type { z } from 'zod';
import { listEffectiveGroups } from '#database/effective-groups.ts';
import type { WorkspaceAccess } from '../access.ts';
import { assertAdminRemains } from '../admins.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { notFound, PROBLEMS, Problem } from '../problems.ts';
import { deleteMember, findMember, listDirectGroups } from './queries.ts';
import { type MemberDetail, type MemberRow, toGroups, toMember } from './schema.ts';

/** @throws Problem not-found when the person is not a member */
export const getMember = async (
  { tx }: RequestContext,
  workspaceId: string,
  personId: string,
): Promise<MemberRow> => {
  const member = await findMember(tx, workspaceId, personId);
  if (!member) throw notFound();
  return member;
};

/**
 * A member with their groups.
 *
 * @throws Problem not-found
 */
export const getMemberDetail = async (
  context: RequestContext,
  workspaceId: string,
  personId: string,
): Promise<z.infer<typeof MemberDetail>> => {
  const member = await getMember(context, workspaceId, personId);
  const who = { kind: 'person', memberId: personId } as const;
  const direct = await listDirectGroups(context.tx, workspaceId, who);
  const effective = await listEffectiveGroups(context.tx, workspaceId, personId);
  return { ...toMember(member), ...toGroups(direct, effective) };
};

/**
 * Takes a person out of a workspace and all its groups.
 *
 * @throws Problem not-found, last-admin, mapped-membership for someone whom a mapping would bring back
 */
export const removeMember = async (
  context: RequestContext,
  access: WorkspaceAccess,
  personId: string,
): Promise<void> => {
  const { workspaceId } = access;
  await getMember(context, workspaceId, personId);
  const groups = await listDirectGroups(context.tx, workspaceId, {
    kind: 'person',
    memberId: personId,
  });
  const mapped = groups.find((group) => group.mapping_id !== null);
  if (mapped) throw mappedMembership(mapped.name);
  await assertAdminRemains(context.tx, workspaceId, personId);
  // Recorded first: whoever removes themselves sees nothing of the workspace afterwards.
  await recordChange(context, {
    ...access,
    action: 'member.remove',
    targetId: personId,
    before: { groups: groups.map((group) => group.name) },
  });
  await deleteMember(context.tx, workspaceId, personId);
};

/** The refusal to end what only a mapping, or the provider's own group, can end. */
export const mappedMembership = (group: string): Problem =>
  new Problem(
    PROBLEMS.mappedMembership,
    `A mapping of an upstream group makes them a member of ${group}. Take them out of the upstream group, or delete the mapping.`,
  );
