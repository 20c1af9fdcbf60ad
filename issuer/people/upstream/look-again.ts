/**
 * Asks identity providers again while nobody is there: whether someone may still sign in, and which
 * groups they are in now. However many tokens are asked for at once, one request goes out; it holds no
 * connection to the database while it waits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#runtime/log.ts';
import { type Connector, UpstreamError, type UpstreamSignIn } from '../../connectors/connector.ts';
import { describeReason } from '../../connectors/failure.ts';
import { isPublished } from '../../connectors/published.ts';
import type { SignInContext } from '../../http/request.ts';
import type { SessionRow } from '../../storage/session-rows.ts';
import { refuseAdmission } from '../admission.ts';
import { updateProfile } from '../sign-up.ts';
import {
  type ClaimedAccount,
  claimDueAccounts,
  holdsLease,
  listDueAccounts,
  postponeLook,
} from './accounts.ts';
import { bringMembershipsInLine } from './mapped-memberships.ts';
import {
  endSignIns,
  openCredential,
  rememberSignIn,
  type UpstreamDeps,
  type UpstreamPerson,
} from './remember.ts';

/** What {@link createLookAgain} needs. */
export type LookDeps = UpstreamDeps & {
  readonly connectors: readonly Connector[];
  readonly log: Logger;
  /** Ends browsers' sessions, and tells the web clients that were signed in to in them. */
  readonly endSessions: (rows: readonly SessionRow[]) => Promise<void>;
};

/**
 * Asks about all identities of a person (UUID) that are due, and brings everything in line with the
 * answers. Whoever comes while somebody else asks waits for them. Never waits longer than some seconds.
 */
export type LookAgain = (personId: string, context: SignInContext) => Promise<void>;

/** A token waits this long for a provider; an answer that comes later is kept all the same. */
const LIMIT_MS = 3_000;
/** Longer than any connector tries: GitHub 20 seconds in all, others four requests of 5 seconds. */
const LEASE_SECONDS = 30;
const MAX_RETRY_SECONDS = 30;
const POLL_MS = 100;

/** Makes the one look of this process for each person at a time. */
export const createLookAgain = (deps: LookDeps): LookAgain => {
  const underWay = new Map<string, Promise<void>>();
  return (personId, context) => {
    const begin = (): Promise<void> => {
      const look = lookAtAll(deps, personId, context).finally(() => underWay.delete(personId));
      underWay.set(personId, look);
      return look;
    };
    return underWay.get(personId) ?? begin();
  };
};

const lookAtAll = async (
  deps: LookDeps,
  personId: string,
  context: SignInContext,
): Promise<void> => {
  const claimed = await claimDueAccounts(deps.database, personId, LEASE_SECONDS);
  await Promise.all(claimed.map((account) => lookAt(deps, { ...account, personId }, context)));
  if (claimed.length === 0) await untilLookedAt(deps, personId, context);
};

/** Somebody else is asking: they write down what they hear. When they don't in time, nothing was heard. */
const untilLookedAt = async (
  deps: LookDeps,
  personId: string,
  context: SignInContext,
): Promise<void> => {
  const deadline = Date.now() + LIMIT_MS + 5 * POLL_MS;
  let due = await listDueAccounts(deps.database, personId);
  while (due.length > 0 && Date.now() < deadline) {
    await delay(POLL_MS);
    due = await listDueAccounts(deps.database, personId);
  }
  for (const key of due) await postpone(deps, { ...key, personId }, { stillAsked: true, context });
};

type Account = ClaimedAccount & { readonly personId: string };

/** What came of asking. */
type Outcome =
  | { readonly kind: 'seen'; readonly signIn: UpstreamSignIn }
  | { readonly kind: 'ended' | 'unavailable' | 'late'; readonly reason: string };

type Decided = { readonly outcome: Outcome; readonly context: SignInContext };

const lookAt = async (deps: LookDeps, account: Account, context: SignInContext): Promise<void> => {
  const { log } = deps;
  const bring = async (outcome: Outcome): Promise<void> => {
    await carryOut(deps, account, { outcome, context });
    const reason = outcome.kind === 'seen' ? undefined : outcome.reason;
    const level = reason === undefined ? 'debug' : 'warn';
    const { connector, personId } = account;
    log[level](
      { connector, person_id: personId, request_id: context.requestId, reason },
      `the identity provider was asked again: ${outcome.kind}`,
    );
  };
  const answered = ask(deps, account).then(bring);
  const limit = new AbortController();
  const late = delay(LIMIT_MS, true, { signal: limit.signal }).catch(() => false);
  const isLate = await Promise.race([answered.then(() => false), late]).finally(() =>
    limit.abort(),
  );
  if (!isLate) return;
  answered.catch((err: unknown) => log.error({ err }, 'a late answer could not be kept'));
  await bring({ kind: 'late', reason: 'it takes too long' });
};

const ask = async (deps: LookDeps, account: Account): Promise<Outcome> => {
  const connector = deps.connectors.find(({ id }) => id === account.connector);
  if (connector?.kind !== 'redirect') return judgeUnknown(deps, account);
  if (!account.sealed_credential) return ended('there is nothing to ask again with');
  const credential = openCredential(deps.encryption, account, account.sealed_credential);
  try {
    return judge(connector, account, await connector.refresh(credential));
  } catch (error) {
    const isGone = error instanceof UpstreamError && error.failure === 'gone';
    return { kind: isGone ? 'ended' : 'unavailable', reason: describeReason(error) };
  }
};

/** While replicas are updated one after the other, some don't know a new connector yet. */
const judgeUnknown = async ({ database }: LookDeps, { connector }: Account): Promise<Outcome> =>
  (await isPublished(database, connector))
    ? { kind: 'unavailable', reason: 'the connector is not configured here' }
    : ended('the connector is not configured any more');

const ended = (reason: string): Outcome => ({ kind: 'ended', reason });

/** The rules of the connector hold now as at the sign-in; and the subject is the same (OIDC Core §12.2). */
const judge = (
  { id, admission }: Connector,
  { subject }: Account,
  signIn: UpstreamSignIn,
): Outcome => {
  const { identity } = signIn;
  if (identity.connector !== id || identity.subject !== subject) return ended('another subject');
  const refusal = refuseAdmission(admission, identity, true);
  return refusal ? ended(`not admitted: ${refusal}`) : { kind: 'seen', signIn };
};

const carryOut = async (
  deps: LookDeps,
  account: Account,
  { outcome, context }: Decided,
): Promise<void> => {
  if (outcome.kind === 'late' || outcome.kind === 'unavailable') {
    return postpone(deps, account, { stillAsked: outcome.kind === 'late', context });
  }
  const ended = await deps.database.transaction(async (transaction) => {
    // An answer counts no more when there is a newer one: a sign-in's, or of whoever asked next.
    if (!(await holdsLease(transaction, account))) return [];
    if (outcome.kind !== 'seen') return endSignIns(transaction, account, context);
    const { signIn } = outcome;
    await rememberSignIn(transaction, deps, { person: account, signIn, context });
    await updateProfile(transaction, account.personId, signIn.identity);
    return [];
  });
  // No token waits for web clients: the sessions count no more already.
  deps.endSessions(ended).catch((err: unknown) => {
    const { personId } = account;
    const ids = { person_id: personId, request_id: context.requestId };
    deps.log.error({ ...ids, err }, 'web clients could not be told of the end of a session');
  });
};

type Postponed = { readonly stillAsked: boolean; readonly context: SignInContext };

/** Nothing was heard: what was said before counts on, until it is too old. */
const postpone = (
  { database, ages: { refreshSeconds, maxAgeSeconds } }: LookDeps,
  person: UpstreamPerson,
  { stillAsked, context }: Postponed,
): Promise<void> =>
  database.transaction(async (transaction) => {
    const retrySeconds = Math.min(MAX_RETRY_SECONDS, refreshSeconds);
    const isTooOld = await postponeLook(transaction, person, {
      retrySeconds,
      maxAgeSeconds,
      stillAsked,
    });
    if (isTooOld) await bringMembershipsInLine(transaction, person.personId, context);
  });
