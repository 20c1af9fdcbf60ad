/** A person's sessions in browsers and sign-ins of clients: what there is, and how it ends. */
import type { Provider } from 'oidc-provider';
import type { DatabasePool, DatabaseTransactionConnection } from 'slonik';
import { recordAudit } from '#database/changes.ts';
import type { Encryption } from '#runtime/encryption.ts';
import type { SignInContext } from '../http/request.ts';
import { findDestination } from '../interactions/destination.ts';
import { markSignedOut, markSignedOutBefore } from '../people/upstream/remember.ts';
import { endSession, type Session } from '../protocol/sessions.ts';
import { SESSION_SECONDS } from '../protocol/time-to-live.ts';
import { hash, purposeOf } from '../storage/adapter.ts';
import { type Origin, readOrigin } from '../storage/origin.ts';
import { listSessions, markSessionEnded, type SessionRow } from '../storage/session-rows.ts';
import type { Destination } from '../views/confirm.ts';
import {
  deleteOtherGrants,
  deleteOwnGrant,
  deleteOwnGrants,
  findPrivateOrganization,
  type GrantRow,
  listGrants,
} from './queries.ts';

/** What the account's sessions need. */
export type SessionsDeps = {
  readonly provider: Provider;
  readonly database: DatabasePool;
  readonly encryption: Encryption;
};

/** A session in a browser; times in seconds since 1970. */
export type OwnSession = {
  /** Names it in forms; no credential. */
  readonly id: string;
  readonly isThisBrowser: boolean;
  readonly origin: Origin | undefined;
  readonly startedAt: number | undefined;
  readonly lastUsedAt: number | undefined;
};

/** A client's sign-in, such as kubectl's; times in seconds since 1970. */
export type OwnGrant = {
  readonly id: string;
  readonly destination: Destination;
  readonly origin: Origin | undefined;
  readonly startedAt: number;
  readonly lastUsedAt: number;
};

/** The person's sessions. @param current the uid of the browser's own */
export const listOwnSessions = async (
  deps: SessionsDeps,
  personId: string,
  current: string,
): Promise<readonly OwnSession[]> => {
  const rows = await listSessions(deps.database, personId);
  return rows.map((row) => {
    const payload = openPayload(deps, 'Session', row);
    const origin = readOrigin(payload);
    return {
      id: toId(row.uid_hash),
      isThisBrowser: row.uid_hash.equals(hash(current)),
      origin,
      startedAt: payload['loginTs'] as number | undefined,
      lastUsedAt: origin?.at,
    };
  });
};

/** The sign-ins of clients. */
export const listOwnGrants = async (
  deps: SessionsDeps,
  personId: string,
): Promise<readonly OwnGrant[]> => {
  const rows = await listGrants(deps.database, personId);
  return Promise.all(rows.map((row) => toOwnGrant(deps, row)));
};

const toOwnGrant = async (deps: SessionsDeps, row: GrantRow): Promise<OwnGrant> => {
  const client = await deps.provider.Client.find(row.client_id);
  return {
    id: toId(row.id_hash),
    destination: await findDestination(deps.database, {
      clientId: row.client_id,
      clientName: client?.clientName,
      redirectUri: undefined,
    }),
    origin: readOrigin(openPayload(deps, 'Grant', row)),
    startedAt: row.created_at,
    lastUsedAt: row.last_used_at,
  };
};

/** Ends a session of the person; false when they have no such session. */
export const endOwnSession = async (
  deps: SessionsDeps,
  personId: string,
  id: string,
): Promise<boolean> => {
  const rows = await listSessions(deps.database, personId);
  const row = rows.find((each) => toId(each.uid_hash) === id);
  if (!row) return false;
  await endSession(deps.provider, toSession(deps, row));
  return true;
};

/** Ends a client's sign-in; false when the person has no such one. */
export const endOwnGrant = (
  { database }: SessionsDeps,
  personId: string,
  id: string,
): Promise<boolean> => deleteOwnGrant(database, personId, Buffer.from(id, 'base64url'));

/** Ends all sessions and all sign-ins of clients, and puts it on the record. */
export const signOutEverywhere = async (
  deps: SessionsDeps,
  personId: string,
  context: SignInContext,
): Promise<void> => {
  const rows = await listSessions(deps.database, personId);
  await deps.database.transaction(async (transaction) => {
    const grants = await deleteOwnGrants(transaction, personId);
    // Also sessions that are no rows just now: one that changes its id, or a sign-in that has still to reach its own.
    await markSignedOut(transaction, personId);
    for (const row of rows) await markSessionEnded(transaction, row.uid_hash, SESSION_SECONDS);
    await recordAudit(transaction, {
      organizationId: await findPrivateOrganization(transaction, personId),
      workspaceId: null,
      actorId: personId,
      action: 'account.sign-out-everywhere',
      targetId: personId,
      before: { sessions: rows.length, sign_ins: grants },
      ...context,
    });
  });
  await endSessions(deps, rows);
  // A sign-in may have been completed meanwhile in a session that was about to end.
  await deleteOwnGrants(deps.database, personId);
};

/**
 * Ends all sessions and sign-ins of clients but a browser's own, together with what its reason is.
 *
 * @param who `current` is the browser's session
 * @param change done in the same transaction
 * @param reason the outcome of the change with which the sign-ins end; with others nothing does
 */
export const endOtherSignIns = async <Outcome>(
  deps: SessionsDeps,
  { personId, current }: { readonly personId: string; readonly current: Session },
  {
    change,
    reason,
  }: {
    readonly change: (transaction: DatabaseTransactionConnection) => Promise<Outcome>;
    readonly reason: Outcome;
  },
): Promise<Outcome> => {
  const kept = Object.values(current.authorizations ?? {}).flatMap(({ grantId }) =>
    grantId === undefined ? [] : [hash(grantId)],
  );
  const { outcome, rows } = await deps.database.transaction(async (transaction) => {
    const outcome = await change(transaction);
    if (outcome !== reason) return { outcome, rows: [] };
    const sessions = await listSessions(transaction, personId);
    const others = sessions.filter(({ uid_hash }) => !uid_hash.equals(hash(current.uid)));
    for (const row of others) await markSessionEnded(transaction, row.uid_hash, SESSION_SECONDS);
    await deleteOtherGrants(transaction, personId, kept);
    // Also sign-ins that have still to reach a session, as far as they are older than this browser's.
    await markSignedOutBefore(transaction, personId, current.loginTs ?? 0);
    return { outcome, rows: others };
  });
  await endSessions(deps, rows);
  // A sign-in may have been completed meanwhile in a session that was about to end.
  if (outcome === reason) await deleteOtherGrants(deps.database, personId, kept);
  return outcome;
};

/** Ends stored sessions, with what web clients were granted in them, and tells these. */
export const endSessions = async (
  deps: Pick<SessionsDeps, 'provider' | 'encryption'>,
  rows: readonly SessionRow[],
): Promise<void> => {
  await Promise.all(rows.map((row) => endSession(deps.provider, toSession(deps, row))));
};

const toSession = (
  deps: Pick<SessionsDeps, 'provider' | 'encryption'>,
  row: SessionRow,
): Session => {
  // The published types give its constructor no payload.
  const Model = deps.provider.Session as unknown as new (payload: object) => Session;
  return new Model(openPayload(deps, 'Session', row));
};

const toId = (idHash: Buffer): string => idHash.toString('base64url');

type SealedRow = { readonly id_hash: Buffer; readonly sealed_payload: Buffer };

const openPayload = (
  { encryption }: Pick<SessionsDeps, 'encryption'>,
  model: string,
  row: SealedRow,
): Readonly<Record<string, unknown>> =>
  JSON.parse(encryption.open(purposeOf(model, row.id_hash), row.sealed_payload));
