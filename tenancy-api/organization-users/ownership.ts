/** Who owns an organization: never nobody, and a private one its person. */
import type { OrganizationAccess } from '../access.ts';
import { recordOrganizationChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import type { OrganizationRow } from '../organizations/schema.ts';
import { getOrganization } from '../organizations/service.ts';
import { bodyProblem, PROBLEMS, Problem } from '../problems.ts';
import { findUser, hasActiveOwner, updateRole } from './queries.ts';

/**
 * Judges the state as it is after a change.
 *
 * @param leaving a person (UUID) who is about to leave the organization
 * @throws Problem last-owner when no owner is left who isn't suspended and has signed in before: a
 * mistyped identity owns nothing
 */
export const assertOwnerRemains = async (
  { tx }: RequestContext,
  organizationId: string,
  leaving: string | null = null,
): Promise<void> => {
  if (await hasActiveOwner(tx, organizationId, leaving)) return;
  throw new Problem(
    PROBLEMS.lastOwner,
    'No owner would be left who has signed in and isn’t suspended. Make such a user an owner first, or transfer the organization to one; or delete the organization.',
  );
};

/** @throws Problem private-organization when it is this person's own */
export const refuseOwnPrivate = (organization: OrganizationRow, personId: string): void => {
  if (organization.personal_for !== personId) return;
  throw new Problem(
    PROBLEMS.privateOrganization,
    'Whose private organization it is stays its owner. Make another organization for what others shall own.',
  );
};

/**
 * Makes another user the owner in the caller's place, who becomes an admin.
 *
 * @returns the organization as the caller sees it then
 * @throws Problem private-organization, last-owner, unprocessable when `to` is no other user
 */
export const transferOrganization = async (
  context: RequestContext,
  { organizationId }: OrganizationAccess,
  to: string,
): Promise<OrganizationRow> => {
  const { tx, personId } = context;
  const organization = await getOrganization(context, organizationId);
  if (organization.personal_for !== null) {
    throw new Problem(
      PROBLEMS.privateOrganization,
      'A private organization can’t be transferred. Make another organization for what others shall own.',
    );
  }
  if (to === personId) throw recipientProblem('You own it already. Name another user.');
  const recipient = await findUser(tx, { organizationId, personId: to });
  if (!recipient) {
    throw recipientProblem('There is no such user of the organization. Add them first.');
  }
  await updateRole(tx, { organizationId, personId: recipient.person_id }, 'owner');
  await updateRole(tx, { organizationId, personId }, 'admin');
  await assertOwnerRemains(context, organizationId);
  await recordOrganizationChange(context, {
    action: 'organization.transfer',
    organizationId,
    targetId: organizationId,
    before: { owner: personId, role: recipient.role },
    after: { owner: recipient.person_id },
  });
  return getOrganization(context, organizationId);
};

const recipientProblem = (detail: string): Problem =>
  bodyProblem(PROBLEMS.unprocessable, ['to'], detail);
