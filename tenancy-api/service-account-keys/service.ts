/** Public keys of service accounts, which sign their requests for tokens (RFC 7523). */
import { calculateJwkThumbprint } from 'jose';
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { bodyProblem, notFound, PROBLEMS } from '../problems.ts';
import { assertRoom } from '../service-accounts/credentials.ts';
import { countKeys, deleteKey, insertKey } from './queries.ts';
import type { CreateServiceAccountKey, KeyRow } from './schema.ts';

/**
 * Adds a key.
 *
 * @throws Problem not-found, already-exists, unprocessable when the service account has too many
 */
export const createKey = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { accountId, jwk, expires_at = null }: CreateServiceAccountKey & { readonly accountId: string },
): Promise<KeyRow> => {
  const machine = { workspaceId: access.workspaceId, accountId };
  await assertRoom(context, machine, countKeys(machine));
  const thumbprint = await calculateJwkThumbprint(jwk);
  const key = {
    ...machine,
    id: createId(),
    jwk: { ...jwk, kid: thumbprint, use: 'sig' as const },
    thumbprint,
    expiresAt: expires_at,
    createdBy: context.personId,
  };
  const row = await insertKey(context.tx, key).catch((error: unknown) => {
    throw violates(error, 'service_account_key__service_account_id_thumbprint__unique')
      ? bodyProblem(PROBLEMS.alreadyExists, ['jwk'], 'The service account has this key already.')
      : error;
  });
  await recordChange(context, {
    ...access,
    action: 'service-account-key.create',
    targetId: accountId,
    after: { key_id: row.id, thumbprint, expires_at },
  });
  return row;
};

/**
 * Deletes a key: what it signs opens nothing from the next request on.
 *
 * @throws Problem not-found
 */
export const removeKey = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { accountId, keyId }: { readonly accountId: string; readonly keyId: string },
): Promise<void> => {
  const machine = { workspaceId: access.workspaceId, accountId };
  const deleted = await deleteKey(context.tx, machine, keyId);
  if (!deleted) throw notFound();
  await recordChange(context, {
    ...access,
    action: 'service-account-key.delete',
    targetId: accountId,
    before: { key_id: keyId, thumbprint: deleted.thumbprint },
  });
};
