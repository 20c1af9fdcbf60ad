/** Users of an organization and their roles. Runs under the organization's lock. */
import { mayGiveOrganizationRole, type OrganizationRole } from '#domain/permissions.ts';
import type { OrganizationAccess } from '../access.ts';
import { recordOrganizationChange } from '../change.ts';
import { getConnector } from '../connectors/service.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { isPersonVisible, provisionPeople } from '../members/queries.ts';
import { getOrganization, refuseDeleting } from '../organizations/service.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import { assertOwnerRemains, refuseOwnPrivate } from './ownership.ts';
import {
  deleteUser,
  findUser,
  insertUser,
  type OrganizationUserKey,
  updateRole,
} from './queries.ts';
import type { AddOrganizationUser, OrganizationUserRow } from './schema.ts';

/** @throws Problem not-found when the person is not a user of the organization */
export const getUser = async (
  { tx }: RequestContext,
  key: OrganizationUserKey,
): Promise<OrganizationUserRow> => {
  const user = await findUser(tx, key);
  if (!user) throw notFound();
  return user;
};

const assertMayGive = (giver: OrganizationRole, role: OrganizationRole): void => {
  if (mayGiveOrganizationRole(giver, role)) return;
  throw new Problem(
    PROBLEMS.forbidden,
    `Only owners make, change and remove owners; you are ${giver}. Ask an owner.`,
  );
};

/**
 * Makes someone a user of the organization; they needn't have signed in before.
 *
 * @throws Problem organization-deleting, forbidden for a role above the caller's, unprocessable for a
 * person whom the caller can't see, already-exists
 */
export const addUser = async (
  context: RequestContext,
  { organizationId, role }: OrganizationAccess,
  input: AddOrganizationUser,
): Promise<OrganizationUserRow> => {
  refuseDeleting(await getOrganization(context, organizationId));
  assertMayGive(role, input.role);
  const personId = await findPerson(context, input);
  const key = { organizationId, personId };
  // Nobody comes in between: every change of the organization's users has locked the organization.
  const present = await findUser(context.tx, key);
  if (present) throw alreadyUser(present);
  await insertUser(context.tx, key, input.role);
  await recordOrganizationChange(context, {
    action: 'organization-user.add',
    organizationId,
    targetId: personId,
    after: { role: input.role },
  });
  return getUser(context, key);
};

const findPerson = async (
  context: RequestContext,
  { connector, subject, person }: AddOrganizationUser,
): Promise<string> => {
  const { tx } = context;
  if (connector !== undefined && subject !== undefined) {
    await getConnector(context, connector);
    const personId = (await provisionPeople(tx, connector, [subject])).get(subject);
    if (personId === undefined) throw new Error('provision_people left a subject out');
    return personId;
  }
  if (person !== undefined && (await isPersonVisible(tx, person))) return person;
  throw bodyProblem(
    PROBLEMS.unprocessable,
    ['person'],
    'There is no such person in your workspaces and organizations. Add them by connector and subject.',
  );
};

const alreadyUser = ({ display_name, role }: OrganizationUserRow): Problem =>
  new Problem(
    PROBLEMS.alreadyExists,
    `${display_name} is a user of the organization already, as ${role}. Change the role with PATCH.`,
  );

/**
 * Gives a user another role.
 *
 * @throws Problem not-found, forbidden for a role above the caller's, precondition-failed,
 * private-organization, last-owner
 */
export const changeRole = async (
  context: RequestContext,
  access: OrganizationAccess,
  change: { readonly personId: string; readonly role: OrganizationRole },
): Promise<OrganizationUserRow> => {
  const { organizationId } = access;
  const { personId, role } = change;
  const key = { organizationId, personId };
  const before = await getUser(context, key);
  assertMayGive(access.role, before.role);
  assertMayGive(access.role, role);
  assertVersion(context, before.version);
  if (role === before.role) return before;
  refuseOwnPrivate(await getOrganization(context, organizationId), personId);
  await updateRole(context.tx, key, role);
  if (before.role === 'owner') await assertOwnerRemains(context, organizationId);
  await recordOrganizationChange(context, {
    action: 'organization-user.update',
    organizationId,
    targetId: personId,
    before: { role: before.role },
    after: { role },
  });
  return getUser(context, key);
};

/**
 * Takes a user's role away; what they are in workspaces stays.
 *
 * @throws Problem not-found, forbidden for a role above the caller's, private-organization, last-owner
 */
export const removeUser = async (
  context: RequestContext,
  access: OrganizationAccess,
  personId: string,
): Promise<void> => {
  const user = await getUser(context, { organizationId: access.organizationId, personId });
  assertMayGive(access.role, user.role);
  await endUser(context, access, { user, action: 'organization-user.remove' });
};

/**
 * Takes the caller's own role away, whichever it is.
 *
 * @throws Problem private-organization, last-owner
 */
export const leaveOrganization = async (
  context: RequestContext,
  access: OrganizationAccess,
): Promise<void> => {
  const { organizationId } = access;
  const user = await getUser(context, { organizationId, personId: context.personId });
  await endUser(context, access, { user, action: 'organization-user.leave' });
};

const endUser = async (
  context: RequestContext,
  { organizationId }: OrganizationAccess,
  { user, action }: { readonly user: OrganizationUserRow; readonly action: string },
): Promise<void> => {
  const { person_id: personId, role } = user;
  refuseOwnPrivate(await getOrganization(context, organizationId), personId);
  if (role === 'owner') await assertOwnerRemains(context, organizationId, personId);
  // Recorded first: whoever removes themselves sees nothing of the organization afterwards.
  await recordOrganizationChange(context, {
    action,
    organizationId,
    targetId: personId,
    before: { role },
  });
  await deleteUser(context.tx, { organizationId, personId });
};
