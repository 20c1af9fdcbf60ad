/** People as the protocol sees them: who may get tokens, asked anew each time one is issued. */
import { type Account, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';
import { requestIdOf } from '../http/request.ts';
import { toClaims } from '../protocol/claims.ts';
import { type Membership, resolveMembership } from './groups.ts';
import type { LookAgain } from './upstream/look-again.ts';
import { type Closure, describeClosure, findClosure } from './workspace-closure.ts';

const PersonRow = z.strictObject({
  display_name: z.string(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  signed_out_at: z.date().nullable(),
  look_due: z.boolean(),
});

/** Someone who may sign in. */
export type ActivePerson = z.infer<typeof PersonRow>;

/** What claims and pages say about a person. */
export type Person = Pick<ActivePerson, 'display_name' | 'email' | 'email_verified'>;

/** What {@link createFindAccount} needs. */
export type AccountDeps = {
  readonly database: CommonQueryMethods;
  readonly lookAgain: LookAgain;
};

/**
 * Finds the person behind a `sub`. Answers nothing, and so ends every grant, refreshes included, for
 * someone who is suspended or removed; and where a token of a workspace's client is at stake, for
 * someone who isn't a member of that workspace, and for everyone while the workspace is closed. When it
 * is time to ask the identity provider again, that is done first; whoever it has taken back signs in
 * again.
 */
export const createFindAccount =
  ({ database, lookAgain }: AccountDeps): FindAccount =>
  async (ctx, sub, token): Promise<Account | undefined> => {
    const personId = parseId('person', sub);
    if (personId === undefined) return undefined;
    const clientId = ctx.oidc.client?.clientId;
    const workspaceId = token && clientId ? parseId('workspace', clientId) : undefined;
    let standing = await findStanding(database, personId, workspaceId);
    if (standing.person?.look_due) {
      await lookAgain(personId, { requestId: requestIdOf(ctx), ip: ctx.ip });
      standing = await findStanding(database, personId, workspaceId);
    }
    const { person, membership, closure } = standing;
    if (person && isSignedOut(person, signedInAt(ctx, token))) return refuse(ctx, SIGN_IN_AGAIN);
    if (!person || (workspaceId && !membership)) return undefined;
    if (closure) return refuse(ctx, describeClosure(closure));
    const claims = toClaims({ sub, person, clientId, membership, grantId: token?.grantId });
    return { accountId: sub, claims: () => claims };
  };

const SIGN_IN_AGAIN =
  'sign in again: you or the identity provider that you signed in with ended your sign-in';

type Standing = {
  readonly person: ActivePerson | null;
  readonly membership: Membership | undefined;
  readonly closure: Closure | undefined;
};

const findStanding = async (
  database: CommonQueryMethods,
  personId: string,
  workspaceId: string | undefined,
): Promise<Standing> => {
  const [person, membership, closure] = await Promise.all([
    findActivePerson(database, personId),
    workspaceId ? resolveMembership(database, personId, workspaceId) : undefined,
    workspaceId ? findClosure(database, workspaceId) : undefined,
  ]);
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

/** Whether a sign-in, in seconds since 1970, was before the provider took the person back, or they ended them all. */
export const isSignedOut = (
  { signed_out_at }: ActivePerson,
  signedInAt: number | undefined,
): boolean =>
  signed_out_at !== null &&
  signedInAt !== undefined &&
  signedInAt < Math.floor(signed_out_at.getTime() / 1000);

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
    SELECT display_name, email, email_verified, signed_out_at,
      EXISTS (
        SELECT FROM upstream_account u WHERE u.person_id = person.id AND u.look_at <= now()
      ) AS look_due
    FROM person
    WHERE id = ${personId}::uuid AND suspended_at IS NULL
  `);
