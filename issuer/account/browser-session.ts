/** Whose account pages a browser gets: those of the person of its session, after a sign-in. */
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import { parseId } from '#domain/identifiers.ts';
import { findActivePerson, isSignedOut } from '../people/account.ts';
import { ACCOUNT_CLIENT_ID, accountRedirectUri } from '../protocol/clients.ts';
import type { Session } from '../protocol/sessions.ts';

/** What {@link findSignedIn} needs. */
export type BrowserSessionDeps = {
  readonly issuerUrl: string;
  readonly provider: Provider;
  readonly database: DatabasePool;
};

/** The person of a browser's session. */
export type SignedIn = {
  /** UUID. */
  readonly personId: string;
  readonly name: string;
  readonly session: Session;
};

/** How long after a sign-in the person may change how they sign in, in seconds. */
export const FRESH_SECONDS = 5 * 60;

/** Who the browser's session belongs to; nobody without one, and when the person is suspended. */
export const findSignedIn = async (
  { provider, database }: BrowserSessionDeps,
  ctx: Context,
): Promise<SignedIn | undefined> => {
  const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
  const personId = parseId('person', session.accountId ?? '');
  const person = personId === undefined ? null : await findActivePerson(database, personId);
  if (!personId || !person || isSignedOut(person, session.loginTs)) return undefined;
  return { personId, name: person.display_name, session };
};

/** Whether the session's sign-in was just now. */
export const isFresh = ({ session }: SignedIn): boolean =>
  session.loginTs !== undefined && Date.now() / 1000 - session.loginTs <= FRESH_SECONDS;

/** Pages that a sign-in can lead to, by what `state` calls them. */
export const PAGES = {
  sessions: '/account/sessions',
  methods: '/account/sign-in-methods',
} as const;
export type AccountPage = keyof typeof PAGES;

/**
 * Sends the browser to sign in, by a request of our own web client. Only the session counts that comes of
 * it: nobody has the verifier that the code would need, so the code is worth nothing.
 *
 * @param fresh whether a session isn't enough when its sign-in was longer ago than {@link FRESH_SECONDS}
 */
export const redirectToSignIn = (
  issuerUrl: string,
  ctx: Context,
  { page, fresh = false }: { readonly page: AccountPage; readonly fresh?: boolean },
): void => {
  const query = new URLSearchParams({
    client_id: ACCOUNT_CLIENT_ID,
    redirect_uri: accountRedirectUri(issuerUrl),
    response_type: 'code',
    scope: 'openid',
    code_challenge: randomBytes(32).toString('base64url'),
    code_challenge_method: 'S256',
    state: page,
    ...(fresh && { max_age: `${FRESH_SECONDS}` }),
  });
  redirect(ctx, `/auth?${query}`);
};

/** Answers 303 to a path of ours. */
export const redirect = (ctx: Context, path: string): void => {
  ctx.status = 303;
  ctx.set('Location', path);
  ctx.body = '';
};
