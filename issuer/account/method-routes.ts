/** The page of a person's ways to sign in: adding one and taking one away, right after a sign-in only. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  type Connector,
  type PasswordConnector,
  UpstreamError,
  type UpstreamSignIn,
} from '../connectors/connector.ts';
import type { RoundTrips } from '../connectors/round-trip.ts';
import { toNetwork } from '../http/client-address.ts';
import { readForm } from '../http/form.ts';
import { contextOf } from '../http/request.ts';
import type { Limits } from '../limits/limits.ts';
import { attemptPassword } from '../limits/password.ts';
import { refuseAdmission } from '../people/admission.ts';
import { isKnown } from '../people/come-in.ts';
import type { UpstreamDeps } from '../people/upstream/remember.ts';
import { hash } from '../storage/adapter.ts';
import {
  linkPasswordPage,
  linkProviderPage,
  methodsPage,
  takenPage,
} from '../views/account-methods.ts';
import { messagesFor } from '../views/messages/messages.ts';
import { sendPage } from '../views/page.ts';
import {
  type BrowserSessionDeps,
  isFresh,
  PAGES,
  redirect,
  redirectToSignIn,
  type SignedIn,
} from './browser-session.ts';
import { canLose, linkIdentity, listIdentities, unlinkIdentity } from './identities.ts';
import type { RequireSignIn, RoutedContext } from './require-sign-in.ts';
import { endOtherSignIns, type SessionsDeps } from './sessions.ts';

/** What the ways to sign in need. */
export type MethodsDeps = BrowserSessionDeps &
  SessionsDeps &
  UpstreamDeps & {
    readonly connectors: readonly Connector[];
    readonly roundTrips: RoundTrips;
    readonly limits: Limits;
  };

type Act = (ctx: RoutedContext, person: SignedIn) => Promise<void>;

/** Adds the routes below `/account/` that are about ways to sign in. */
export const addMethodRoutes = (
  router: Router,
  deps: MethodsDeps,
  signedIn: RequireSignIn,
): void => {
  const fresh = (act: Act) =>
    signedIn('methods', async (ctx, person) => {
      if (isFresh(person)) await act(ctx, person);
      else redirectToSignIn(deps.issuerUrl, ctx, { page: 'methods', fresh: true });
    });
  router.get(
    '/sign-in-methods',
    signedIn('methods', (ctx, person) => showMethods(deps, ctx, person)),
  );
  router.post(
    '/sign-in-methods/unlink',
    fresh((ctx, person) => unlink(deps, ctx, person)),
  );
  router.post(
    '/sign-in-methods/:connector/link',
    fresh((ctx, person) => begin(deps, ctx, person)),
  );
  router.post(
    '/sign-in-methods/:connector/password',
    fresh((ctx, person) => linkByPassword(deps, ctx, person)),
  );
  router.get(
    '/callback/:connector',
    signedIn('methods', (ctx, person) => linkByProvider(deps, ctx, person)),
  );
};

const showMethods = async (
  { database, connectors }: MethodsDeps,
  ctx: Context,
  { personId, name }: SignedIn,
): Promise<void> => {
  const identities = await listIdentities(database, personId);
  const ids = new Set(connectors.map(({ id }) => id));
  const methods = identities.map((key) => ({
    ...key,
    connectorName: connectors.find(({ id }) => id === key.connector)?.name,
    removable: canLose(identities, key, ids),
  }));
  sendPage(
    ctx,
    methodsPage(messagesFor(ctx), {
      personName: name,
      methods,
      connectors: connectors.filter(isLinkable),
    }),
  );
};

/** What somebody did with the way in that goes ends with it: the person may have removed it because of them. */
const unlink = async (
  deps: MethodsDeps,
  ctx: Context,
  { personId, session }: SignedIn,
): Promise<void> => {
  const form = await readForm(ctx);
  const key = { connector: form.get('connector') ?? '', subject: form.get('subject') ?? '' };
  const connectors = new Set(deps.connectors.map(({ id }) => id));
  const context = contextOf(ctx);
  const outcome = await endOtherSignIns(
    deps,
    { personId, current: session },
    {
      change: (transaction) =>
        unlinkIdentity(transaction, { key, connectors }, { personId, context }),
      reason: 'unlinked',
    },
  );
  if (outcome === 'last') {
    ctx.throw(409, 'add another way to sign in before you remove this one', { expose: true });
  }
  if (outcome === 'unlinked') redirect(ctx, PAGES.methods);
};

/** The browser is bound by its session, whose uid no address must tell. */
const travellerOf = ({ session }: SignedIn) => ({
  purpose: 'account' as const,
  uid: hash(session.uid).toString('base64url'),
});

/**
 * Shows the next step. The provider's address stands in a link, because the page's own policy lets no form
 * lead there; and a form, which other sites can't submit, comes before it, so that nobody is led to link
 * an account of an attacker's.
 */
const begin = async (
  { connectors, roundTrips }: MethodsDeps,
  ctx: RoutedContext,
  person: SignedIn,
): Promise<void> => {
  const connector = findConnector(connectors, ctx);
  const messages = messagesFor(ctx);
  if (connector?.kind === 'password') sendPage(ctx, linkPasswordPage(messages, { connector }));
  if (connector?.kind !== 'redirect') return;
  const url = await roundTrips.begin(connector, travellerOf(person), {
    forceLogin: true,
    selectAccount: true,
  });
  sendPage(ctx, linkProviderPage(messages, { connector, url }));
};

const linkByPassword = async (
  deps: MethodsDeps,
  ctx: RoutedContext,
  person: SignedIn,
): Promise<void> => {
  const connector = findConnector(deps.connectors, ctx);
  if (connector?.kind !== 'password') return;
  const form = await readForm(ctx);
  const username = form.get('username') ?? '';
  const identity = await tryPassword(deps, connector, {
    username,
    password: form.get('password') ?? '',
    network: toNetwork(ctx.ip),
  });
  if (identity) {
    const signIn = { identity, groups: undefined, credential: undefined };
    await link(deps, ctx, { person, connector, signIn });
  } else {
    sendPage(ctx, linkPasswordPage(messagesFor(ctx), { connector, failed: { username } }));
  }
};

type Typed = { readonly username: string; readonly password: string; readonly network: string };

const tryPassword = (
  { limits }: MethodsDeps,
  connector: PasswordConnector,
  { username, password, network }: Typed,
) =>
  attemptPassword(limits, { connector: connector.id, username, network }, () =>
    connector.signIn(username, password),
  );

const linkByProvider = async (
  deps: MethodsDeps,
  ctx: RoutedContext,
  person: SignedIn,
): Promise<void> => {
  const connector = findConnector(deps.connectors, ctx);
  if (connector?.kind !== 'redirect') return;
  const signIn = await deps.roundTrips.complete({
    traveller: travellerOf(person),
    connectors: deps.connectors,
    connectorId: connector.id,
    url: ctx.URL,
  });
  await link(deps, ctx, { person, connector, signIn });
};

type Proven = {
  readonly person: SignedIn;
  readonly connector: Connector;
  readonly signIn: UpstreamSignIn;
};

const link = async (
  deps: MethodsDeps,
  ctx: Context,
  { person: { personId }, connector, signIn }: Proven,
): Promise<void> => {
  // The person is known here; where invitations count, the account that they add must be known too.
  const known = await isKnown(deps.database, signIn.identity);
  if (refuseAdmission(connector.admission, signIn.identity, known)) {
    throw new UpstreamError(connector.id, 'not_allowed');
  }
  const context = contextOf(ctx);
  const outcome = await linkIdentity(deps, signIn, { personId, context });
  if (outcome === 'linked') redirect(ctx, PAGES.methods);
  else sendPage(ctx, takenPage(messagesFor(ctx), connector.name));
};

/** Those whose accounts may be added. */
const isLinkable = ({ linking }: Connector): boolean => linking !== false;

const findConnector = (
  connectors: readonly Connector[],
  { params }: RoutedContext,
): Connector | undefined =>
  connectors.filter(isLinkable).find(({ id }) => id === params['connector']);
