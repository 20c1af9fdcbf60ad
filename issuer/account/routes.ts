/**
 * The pages below `/account/`, for the person of the browser's session: where they are signed in, and how
 * they sign in. Whoever has no session signs in first. Forms from other sites are refused before they come
 * here, and what belongs to someone else is not there.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { contextOf } from '../http/request.ts';
import { sessionsPage } from '../views/account-sessions.ts';
import { messagesFor } from '../views/messages/messages.ts';
import { sendPage } from '../views/page.ts';
import { type BrowserSessionDeps, PAGES, redirect, type SignedIn } from './browser-session.ts';
import { addMethodRoutes, type MethodsDeps } from './method-routes.ts';
import { createRequireSignIn, type RoutedContext } from './require-sign-in.ts';
import {
  endOwnGrant,
  endOwnSession,
  listOwnGrants,
  listOwnSessions,
  type SessionsDeps,
  signOutEverywhere,
} from './sessions.ts';

/** What the account pages need. */
export type AccountDeps = BrowserSessionDeps & SessionsDeps & MethodsDeps;

/** The routes. */
export const accountRoutes = (deps: AccountDeps): Middleware => {
  const router = new Router({ prefix: '/account', sensitive: true, strict: false });
  const signedIn = createRequireSignIn(deps);
  const end =
    (remove: typeof endOwnSession) =>
    async (ctx: RoutedContext, { personId }: SignedIn): Promise<void> => {
      if (await remove(deps, personId, ctx.params['id'] ?? '')) redirect(ctx, PAGES.sessions);
    };

  router.get('/', async (ctx) => redirect(ctx, PAGES.sessions));
  router.get('/signed-in', async (ctx) => {
    redirect(ctx, ctx.query['state'] === 'methods' ? PAGES.methods : PAGES.sessions);
  });
  router.get(
    '/sessions',
    signedIn('sessions', (ctx, person) => showSessions(deps, ctx, person)),
  );
  router.post('/sessions/:id/end', signedIn('sessions', end(endOwnSession)));
  router.post('/grants/:id/end', signedIn('sessions', end(endOwnGrant)));
  router.post(
    '/sign-out-everywhere',
    signedIn('sessions', async (ctx, { personId }) => {
      await signOutEverywhere(deps, personId, contextOf(ctx));
      redirect(ctx, '/session/end/success');
    }),
  );
  addMethodRoutes(router, deps, signedIn);
  return router.routes() as unknown as Middleware;
};

const showSessions = async (
  deps: AccountDeps,
  ctx: Context,
  { personId, name, session }: SignedIn,
): Promise<void> => {
  const [sessions, grants] = await Promise.all([
    listOwnSessions(deps, personId, session.uid),
    listOwnGrants(deps, personId),
  ]);
  sendPage(ctx, sessionsPage(messagesFor(ctx), { personName: name, sessions, grants }));
};
