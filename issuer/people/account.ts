/** People as the protocol sees them: who may get tokens, asked anew each time one is issued. */
import { type Account, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider';
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';
import { contextOf } from '../http/request.ts';
import { type ClaimSource, toClaims } from '../protocol/claims.ts';
import { measureIdToken } from '../protocol/id-token-size.ts';
import { type Session, startAnew } from '../protocol/sessions.ts';
import type { TokenMetrics } from '../protocol/token-metrics.ts';
import { type Membership, resolveMembership } from './groups.ts';
import { fitGroups } from './overage.ts';
import type { LookAgain } from './upstream/look-again.ts';
import { type Closure, describeClosure, findClosure } from './workspace-closure.ts';

const PersonRow = z.strictObject({
  display_name: z.string(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  /** The first second, since 1970, whose sign-ins count; `null`: all do. */
  sign_ins_from: z.int().nullable(),
  look_due: z.boolean(),
});

/** Someone who may sign in. */
export type ActivePerson = z.infer<typeof PersonRow>;

/** What claims and pages say about a person. */
export type Person = Pick<ActivePerson, 'display_name' | 'email' | 'email_verified'>;

/** What {@link createFindAccount} needs. */
export type AccountDeps = {
  readonly issuerUrl: string;
  readonly database: DatabasePool;
  readonly lookAgain: LookAgain;
  readonly metrics: TokenMetrics;
};

/**
 * Finds the person behind a `sub`. Answers nothing, and so ends every grant, refreshes included, for
 * someone who is suspended or removed; and where a token of a workspace's client is at stake, for
 * someone who isn't a member of that workspace, and for everyone while the workspace is closed. When it
 * is time to ask the identity provider again, that is done first; whoever it has taken back signs in
 * again. Who is in too many groups gets those that decide something, or is told; see `overage.ts`.
 */
export const createFindAccount = (deps: AccountDeps): FindAccount => {
  const find = createFindAccountFor(deps);
  return (ctx, sub, token) => find(ctx, { sub, token, clientId: ctx.oidc.client?.clientId });
};

/** Finds the person behind a `sub` for tokens of a client, which may be another than the one that asks. */
export type FindAccountFor = (
  ctx: KoaContextWithOIDC,
  who: {
    readonly sub: string;
    readonly token: Parameters<FindAccount>[2];
    readonly clientId: string | undefined;
  },
) => Promise<Account | undefined>;

/** As {@link createFindAccount}, for a client that is named. */
export const createFindAccountFor =
  (deps: AccountDeps): FindAccountFor =>
  async (ctx, { sub, token, clientId }) => {
    const { lookAgain } = deps;
    const personId = parseId('person', sub);
    if (personId === undefined) return undefined;
    const workspaceId = token && clientId ? parseId('workspace', clientId) : undefined;
    let standing = await findStanding(deps, personId, workspaceId);
    if (standing.person?.look_due) {
      await lookAgain(personId, contextOf(ctx));
      standing = await findStanding(deps, personId, workspaceId);
    }
    const { person, membership, closure } = standing;
    if (person && isSignedOut(person, signedInAt(ctx, token))) {
      if (!token && ctx.oidc.session) startAnew(ctx.oidc.session as Session);
      return refuse(ctx, SIGN_IN_AGAIN);
    }
    if (!person || (workspaceId && !membership)) return undefined;
    if (closure) return refuse(ctx, describeClosure(closure));
    const source = { sub, person, clientId, membership, grantId: token?.grantId };
    const asked = { source, personId, workspaceId, token };
    const claims = toClaims(await withFittingGroups(deps, ctx, asked));
    return { accountId: sub, claims: () => claims };
  };

type Asked = {
  readonly source: ClaimSource;
  readonly personId: string;
  readonly workspaceId: string | undefined;
  readonly token: Parameters<FindAccount>[2];
};

const withFittingGroups = async (
  { issuerUrl, database, metrics }: AccountDeps,
  ctx: KoaContextWithOIDC,
  { source, personId, workspaceId, token }: Asked,
): Promise<ClaimSource> => {
  const { membership, clientId } = source;
  if (!membership || !workspaceId || !clientId) return source;
  const withGroups = (groups: readonly string[]): ClaimSource => ({
    ...source,
    membership: { ...membership, groups },
  });
  const nonce = token && 'nonce' in token ? token.nonce : undefined;
  const groups = await fitGroups({ database, metrics }, ctx, {
    personId,
    workspaceId,
    groups: membership.groups,
    measure: (some) =>
      measureIdToken({ issuerUrl, clientId, claims: toClaims(withGroups(some)), nonce }),
  });
  return groups === membership.groups ? source : withGroups(groups);
};

const SIGN_IN_AGAIN =
  'sign in again: your sign-in was ended, by you, an administrator or your identity provider';

type Standing = {
  readonly person: ActivePerson | null;
  readonly membership: Membership | undefined;
  readonly closure: Closure | undefined;
};

const findStanding = async (
  { database, metrics }: AccountDeps,
  personId: string,
  workspaceId: string | undefined,
): Promise<Standing> => {
  const stop = metrics.groupResolution.startTimer();
  const [person, membership, closure] = await Promise.all([
    findActivePerson(database, personId),
    workspaceId ? resolveMembership(database, personId, workspaceId) : undefined,
    workspaceId ? findClosure(database, workspaceId) : undefined,
  ]);
  stop();
  return { person, membership, closure };
};

/** When the sign-in was that is at stake, in seconds since 1970, as far as it is known. */
const signedInAt = (
  { oidc }: KoaContextWithOIDC,
  token: Parameters<FindAccount>[2],
): number | undefined => {
  if (token) return 'authTime' in token ? token.authTime : undefined;
  return oidc.session?.authTime();
};

/**
 * Whether a sign-in, in seconds since 1970, was before the provider took the person back, or they ended them
 * all. One of the same second was: {@link signInTime} gives a later one the next.
 */
export const isSignedOut = (
  { sign_ins_from }: ActivePerson,
  signedInAt: number | undefined,
): boolean => sign_ins_from !== null && signedInAt !== undefined && signedInAt < sign_ins_from;

/** What time a sign-in gets that is completed now, in seconds since 1970: never one that doesn't count. */
export const signInTime = async (db: CommonQueryMethods, personId: string): Promise<number> => {
  const person = await findActivePerson(db, personId);
  return Math.max(Math.floor(Date.now() / 1000), person?.sign_ins_from ?? 0);
};

/** A member's client is told why; the refresh token stays, for when the workspace is open again. */
const refuse = (ctx: KoaContextWithOIDC, reason: string): undefined => {
  if (ctx.oidc.route !== 'token') return undefined;
  throw new errors.CustomOIDCProviderError('invalid_grant', reason);
};

/** The person, unless suspended or unknown. */
export const findActivePerson = (
  db: CommonQueryMethods,
  personId: string,
): Promise<ActivePerson | null> =>
  db.maybeOne(sql.prepared('issuer_active_person', PersonRow)`
    SELECT display_name, email, email_verified,
      ceil(extract(epoch FROM signed_out_at))::int AS sign_ins_from,
      EXISTS (
        SELECT FROM upstream_account u WHERE u.person_id = person.id AND u.look_at <= now()
      ) AS look_due
    FROM person
    WHERE id = ${personId}::uuid AND suspended_at IS NULL
  `);
