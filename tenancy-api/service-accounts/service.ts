/**
 * Service accounts: the machines of a workspace. They may be in any group that people may be in,
 * WSAdmins included: what a group gives is one rule for all of its members, and controllers that
 * deploy to the whole cluster need what admins have there. A service account can't sign in to this
 * API, and never counts as the admin that a workspace must keep.
 */
import { violates } from '#database/constraint.ts';
import { listEffectiveGroups } from '#database/effective-groups.ts';
import { createId } from '#domain/identifiers.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { listDirectGroups } from '../members/queries.ts';
import { toGroups } from '../members/schema.ts';
import { bodyProblem, notFound, PROBLEMS, type Problem } from '../problems.ts';
import {
  deleteServiceAccount,
  findServiceAccount,
  insertServiceAccount,
  updateServiceAccount,
} from './queries.ts';
import {
  type CreateServiceAccount,
  type ServiceAccountDetail,
  type ServiceAccountRow,
  toServiceAccount,
  type UpdateServiceAccount,
} from './schema.ts';

/** @throws Problem not-found when this workspace has no such service account */
export const getServiceAccount = async (
  { tx }: RequestContext,
  workspaceId: string,
  serviceAccountId: string,
): Promise<ServiceAccountRow> => {
  const account = await findServiceAccount(tx, workspaceId, serviceAccountId);
  if (!account) throw notFound();
  return account;
};

/** A service account with its direct and effective groups. */
export const describeServiceAccount = async (
  { tx }: RequestContext,
  workspaceId: string,
  account: ServiceAccountRow,
): Promise<ServiceAccountDetail> => {
  const who = { kind: 'serviceAccount', memberId: account.id } as const;
  const direct = await listDirectGroups(tx, workspaceId, who);
  const effective = await listEffectiveGroups(tx, workspaceId, account.id, who.kind);
  return { ...toServiceAccount(account), ...toGroups(direct, effective) };
};

/**
 * Makes a service account; it is in no group yet.
 *
 * @throws Problem already-exists
 */
export const createServiceAccount = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { name, display_name: displayName = name }: CreateServiceAccount,
): Promise<ServiceAccountRow> => {
  const { workspaceId } = access;
  const account = { id: createId(), workspaceId, name, displayName, createdBy: context.personId };
  const row = await insertServiceAccount(context.tx, account).catch((error: unknown) => {
    throw isNameTaken(error) ? nameTaken(name) : error;
  });
  await recordChange(context, {
    ...access,
    action: 'service-account.create',
    targetId: row.id,
    after: { name, display_name: displayName },
  });
  return row;
};

const isNameTaken = (error: unknown): boolean =>
  violates(error, 'service_account__workspace_id_name__unique');

const nameTaken = (name: string): Problem =>
  bodyProblem(
    PROBLEMS.alreadyExists,
    ['name'],
    `The workspace has a service account "${name}" already. Choose another name.`,
  );

/**
 * Gives a service account another display name.
 *
 * @throws Problem not-found, precondition-failed
 */
export const renameServiceAccount = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { id, change }: { readonly id: string; readonly change: UpdateServiceAccount },
): Promise<ServiceAccountRow> => {
  const { workspaceId } = access;
  const before = await getServiceAccount(context, workspaceId, id);
  assertVersion(context, before.version);
  const { display_name: displayName } = change;
  if (displayName === before.display_name) return before;
  const row = await updateServiceAccount(context.tx, workspaceId, { id, displayName });
  await recordChange(context, {
    ...access,
    action: 'service-account.update',
    targetId: id,
    before: { display_name: before.display_name },
    after: { display_name: displayName },
  });
  return row;
};

/**
 * Deletes a service account and takes it out of all its groups.
 *
 * @throws Problem not-found
 */
export const removeServiceAccount = async (
  context: RequestContext,
  access: WorkspaceAccess,
  serviceAccountId: string,
): Promise<void> => {
  const { workspaceId } = access;
  const account = await getServiceAccount(context, workspaceId, serviceAccountId);
  const who = { kind: 'serviceAccount', memberId: serviceAccountId } as const;
  const groups = await listDirectGroups(context.tx, workspaceId, who);
  await deleteServiceAccount(context.tx, workspaceId, serviceAccountId);
  await recordChange(context, {
    ...access,
    action: 'service-account.delete',
    targetId: serviceAccountId,
    before: {
      name: account.name,
      display_name: account.display_name,
      groups: groups.map((group) => group.name),
    },
  });
};
