/** Account pages are for whoever is signed in. */
import type { Context } from 'koa';
import {
  type AccountPage,
  type BrowserSessionDeps,
  findSignedIn,
  redirectToSignIn,
  type SignedIn,
} from './browser-session.ts';

/** A request with the parameters of its path. */
export type RoutedContext = Context & { params: Record<string, string> };

/** Makes a handler for signed-in people; everyone else signs in and comes back to the page. */
export type RequireSignIn = (
  page: AccountPage,
  act: (ctx: RoutedContext, person: SignedIn) => Promise<void>,
) => (ctx: RoutedContext) => Promise<void>;

/** @param deps where sessions are */
export const createRequireSignIn =
  (deps: BrowserSessionDeps): RequireSignIn =>
  (page, act) =>
  async (ctx) => {
    const person = await findSignedIn(deps, ctx);
    if (person) await act(ctx, person);
    else redirectToSignIn(deps.issuerUrl, ctx, { page });
  };
