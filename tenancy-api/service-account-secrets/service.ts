/** Client secrets of service accounts: made here, shown once, and kept as hashes. */
import { createHash, randomBytes } from 'node:crypto';
import { createId } from '#domain/identifiers.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { notFound } from '../problems.ts';
import { assertRoom } from '../service-accounts/credentials.ts';
import { countSecrets, deleteSecret, insertSecret } from './queries.ts';
import type { CreateServiceAccountSecret, SecretRow } from './schema.ts';

/** By which scanners recognize one of ours: `hxb_` and 43 characters of base64url. */
const PREFIX = 'hxb_';
const SECRET_BYTES = 32;
const HINT_LENGTH = 4;

/**
 * Makes a secret.
 *
 * @throws Problem not-found, unprocessable when the service account has too many
 */
export const createSecret = async (
  context: RequestContext,
  access: WorkspaceAccess,
  {
    accountId,
    lifetime_days: lifetimeDays,
  }: CreateServiceAccountSecret & { readonly accountId: string },
): Promise<{ readonly row: SecretRow; readonly secret: string }> => {
  const machine = { workspaceId: access.workspaceId, accountId };
  await assertRoom(context, machine, countSecrets(machine));
  const secret = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const row = await insertSecret(context.tx, {
    ...machine,
    id: createId(),
    hash: createHash('sha256').update(secret).digest(),
    hint: secret.slice(-HINT_LENGTH),
    lifetimeDays,
    createdBy: context.personId,
  });
  await recordChange(context, {
    ...access,
    action: 'service-account-secret.create',
    targetId: accountId,
    after: { secret_id: row.id, expires_at: row.expires_at.toISOString() },
  });
  return { row, secret };
};

/**
 * Deletes a secret: it opens nothing from the next request on.
 *
 * @throws Problem not-found
 */
export const removeSecret = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { accountId, secretId }: { readonly accountId: string; readonly secretId: string },
): Promise<void> => {
  const machine = { workspaceId: access.workspaceId, accountId };
  if (!(await deleteSecret(context.tx, machine, secretId))) throw notFound();
  await recordChange(context, {
    ...access,
    action: 'service-account-secret.delete',
    targetId: accountId,
    before: { secret_id: secretId },
  });
};
