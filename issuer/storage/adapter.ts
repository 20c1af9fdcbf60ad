/**
 * Where oidc-provider keeps its state: PostgreSQL. Identifiers are stored as SHA-256 hashes and payloads
 * sealed, so that a copy of the tables signs nobody in; a code or token is consumed by one conditional
 * statement, because oidc-provider itself looks first and writes later.
 */
import { createHash } from 'node:crypto';
import {
  type Adapter,
  type AdapterFactory,
  type AdapterPayload,
  errors,
  Provider,
} from 'oidc-provider';
import { type CommonQueryMethods, ForeignKeyIntegrityConstraintViolationError } from 'slonik';
import { parseId } from '#domain/identifiers.ts';
import type { Encryption } from '#runtime/encryption.ts';
import { findMachineClient } from '../machines/machine-clients.ts';
import { findWorkspaceClient } from '../protocol/clients.ts';
import {
  type ArtifactRow,
  consumeArtifact,
  deleteArtifact,
  deleteArtifactsOfGrant,
  findArtifact,
  revokeFamilyOfUsedCode,
  upsertArtifact,
  wasConsumedInGrace,
} from './artifacts.ts';
import { deleteGrant, findGrant, upsertGrant } from './grant-rows.ts';
import { originOf } from './origin.ts';

/** What {@link createAdapterFactory} needs. */
export type AdapterDeps = {
  readonly database: CommonQueryMethods;
  readonly encryption: Encryption;
};

/** Makes the adapter of each of oidc-provider's models. */
export const createAdapterFactory =
  (deps: AdapterDeps): AdapterFactory =>
  (model) => {
    if (model === 'Client') return createClientAdapter(deps.database);
    return model === 'Grant' ? createGrantAdapter(deps) : createArtifactAdapter(model, deps);
  };

/** What an identifier is stored as. */
export const hash = (value: string): Buffer => createHash('sha256').update(value).digest();

/** What a payload is sealed for: it opens in no other row. */
export const purposeOf = (model: string, idHash: Buffer): string =>
  `oidc:${model}:${idHash.toString('hex')}`;

const accountOf = ({ accountId }: AdapterPayload): string | null =>
  (accountId !== undefined && parseId('person', accountId)) || null;

const withOrigin = (payload: AdapterPayload) => ({ ...payload, origin: originOf(Provider.ctx) });

const unsupported = (): Promise<never> =>
  Promise.reject(new Error('this model does not support the operation'));

const createClientAdapter = (database: CommonQueryMethods): Adapter => ({
  upsert: unsupported,
  find: async (id) =>
    (await findWorkspaceClient(database, id)) ?? (await findMachineClient(database, id)),
  findByUserCode: unsupported,
  findByUid: unsupported,
  consume: unsupported,
  destroy: unsupported,
  revokeByGrantId: unsupported,
});

const createGrantAdapter = ({ database, encryption }: AdapterDeps): Adapter => ({
  upsert: async (id, payload, expiresIn = 0) => {
    const idHash = hash(id);
    const accountId = accountOf(payload);
    if (accountId === null || payload.clientId === undefined) {
      throw new Error('a grant has an account and a client');
    }
    await upsertGrant(database, {
      idHash,
      accountId,
      clientId: payload.clientId,
      sealedPayload: encryption.seal(
        purposeOf('Grant', idHash),
        JSON.stringify(withOrigin(payload)),
      ),
      expiresIn,
    });
  },
  find: async (id) => {
    const idHash = hash(id);
    const row = await findGrant(database, idHash);
    return row
      ? JSON.parse(encryption.open(purposeOf('Grant', idHash), row.sealed_payload))
      : undefined;
  },
  findByUserCode: unsupported,
  findByUid: unsupported,
  consume: unsupported,
  destroy: (id) => deleteGrant(database, hash(id)),
  revokeByGrantId: unsupported,
});

const createArtifactAdapter = (model: string, deps: AdapterDeps): Adapter => {
  const { database, encryption } = deps;
  const open = (row: ArtifactRow | null): AdapterPayload | undefined =>
    row
      ? {
          ...JSON.parse(encryption.open(purposeOf(model, row.id_hash), row.sealed_payload)),
          ...(row.consumed && { consumed: true }),
        }
      : undefined;
  return {
    upsert: async (id, payload, expiresIn) => {
      const stored = await upsertArtifact(database, model, {
        idHash: hash(id),
        grantIdHash: payload.grantId === undefined ? null : hash(payload.grantId),
        accountId: accountOf(payload),
        uidHash: payload.uid === undefined ? null : hash(payload.uid),
        userCodeHash: payload.userCode === undefined ? null : hash(payload.userCode),
        sealedPayload: encryption.seal(
          purposeOf(model, hash(id)),
          JSON.stringify(model === 'Session' ? withOrigin(payload) : payload),
        ),
        expiresIn: expiresIn ?? 0,
      }).catch(refuseRevoked);
      if (!stored) throw refuseRepeated(model);
    },
    find: async (id) => open(await findArtifact(database, model, { idHash: hash(id) })),
    findByUid: async (uid) => open(await findArtifact(database, model, { uidHash: hash(uid) })),
    findByUserCode: async (code) =>
      open(await findArtifact(database, model, { userCodeHash: hash(code) })),
    consume: (id) => consume(database, model, hash(id)),
    destroy: (id) => deleteArtifact(database, model, hash(id)),
    revokeByGrantId: (grantId) => deleteArtifactsOfGrant(database, model, hash(grantId)),
  };
};

/** The provider looks for an assertion before it writes it down: of several at once, one is the first. */
const refuseRepeated = (model: string): Error =>
  model === 'ReplayDetection'
    ? new errors.InvalidClientAuth('client assertion tokens must only be used once')
    : new errors.SessionNotFound('the session was ended');

/** A grant or person that is gone takes no new token: the foreign key says so after any race. */
const refuseRevoked = (error: unknown): never => {
  if (error instanceof ForeignKeyIntegrityConstraintViolationError) {
    throw new errors.InvalidGrant({ detail: 'the grant was revoked', cause: error });
  }
  throw error;
};

/**
 * Consumes a code or token. Of several at once one wins; a refresh token's losers within the grace time
 * pass too, and meet the winner in the same successor. Whoever comes with a code after its tokens were
 * issued is a thief or was robbed: the family ends (RFC 6749 §4.1.2).
 *
 * @throws InvalidGrant
 */
const consume = async (
  database: CommonQueryMethods,
  model: string,
  idHash: Buffer,
): Promise<void> => {
  if (await consumeArtifact(database, model, idHash)) return;
  if (model === 'RefreshToken' && (await wasConsumedInGrace(database, model, idHash))) return;
  if (model !== 'RefreshToken') await revokeFamilyOfUsedCode(database, model, idHash);
  throw new errors.InvalidGrant('already consumed');
};
