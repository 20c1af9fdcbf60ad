/**
 * Revocation: sign-ins are ended at once, and their tokens with them where clusters ask the issuer. The
 * database writes down which grants ended; the issuer tells the clusters.
 */
import type { z } from 'zod';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange, recordOrganizationChange, recordPlatformChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { getMember } from '../members/service.ts';
import { notFound } from '../problems.ts';
import { endWorkspaceGrants, findPrivateOrganization, signOutEverywhere } from './queries.ts';
import { type Revocation, type SignOut, toRevocation } from './schema.ts';

/**
 * Ends a person's sign-ins to a workspace. They may have left it: their tokens may not have ended.
 *
 * @throws Problem not-found for someone who is neither a member nor signed in there
 */
export const revokeAccess = async (
  context: RequestContext,
  access: WorkspaceAccess,
  personId: string,
): Promise<Revocation> => {
  const ended = await endWorkspaceGrants(context.tx, access.workspaceId, personId);
  if (ended === 0) await getMember(context, access.workspaceId, personId);
  await recordChange(context, {
    ...access,
    action: 'member.revoke',
    targetId: personId,
    before: { sign_ins: ended },
  });
  return toRevocation(ended);
};

/** Ends the caller's own sign-ins, all of them. */
export const revokeOwn = async (context: RequestContext): Promise<z.infer<typeof SignOut>> => {
  const { tx, personId } = context;
  const receipt = await endEverything(context, personId);
  await recordOrganizationChange(context, {
    organizationId: await findPrivateOrganization(tx, personId),
    action: 'account.sign-out-everywhere',
    targetId: personId,
    before: toRecord(receipt),
  });
  return receipt;
};

/**
 * Ends all sign-ins of a person, for a platform administrator.
 *
 * @throws Problem not-found
 */
export const revokePerson = async (
  context: RequestContext,
  personId: string,
): Promise<z.infer<typeof SignOut>> => {
  const receipt = await endEverything(context, personId);
  await recordPlatformChange(context, {
    action: 'person.revoke',
    targetId: personId,
    before: toRecord(receipt),
  });
  return receipt;
};

const endEverything = async (
  { tx }: RequestContext,
  personId: string,
): Promise<z.infer<typeof SignOut>> => {
  const ended = await signOutEverywhere(tx, personId);
  if (!ended) throw notFound();
  return { sessions: ended.sessions, ...toRevocation(ended.grants) };
};

const toRecord = ({ sessions, sign_ins }: z.infer<typeof SignOut>) => ({ sessions, sign_ins });
