/** The pages of RP-Initiated Logout; the logout itself is oidc-provider's. */
import type { Middleware } from 'koa';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { messagesFor } from '../views/messages/messages.ts';
import { sendPage } from '../views/page.ts';
import { signedOutPage, signOutPage } from '../views/sign-out.ts';

type Logout = NonNullable<NonNullable<Configuration['features']>['rpInitiatedLogout']>;

/** The configuration of logout, with its two pages. */
export const LOGOUT: Logout = {
  enabled: true,
  logoutSource: async (ctx) => {
    const xsrf = String(ctx.oidc.session?.state?.['secret']);
    const action = ctx.oidc.urlFor('end_session_confirm');
    sendPage(ctx, signOutPage(messagesFor(ctx), { action, xsrf }));
  },
  postLogoutSuccessSource: async (ctx) => sendPage(ctx, signedOutPage(messagesFor(ctx))),
};

/**
 * Sends a browser in which nobody is signed in straight on, where oidc-provider has checked the request and
 * would have a script submit a form that ends nothing.
 */
export const skipEmptySignOut: Middleware = async (ctx, next) => {
  await next();
  // No other path has what is read here.
  if (ctx.path !== '/session/end' || ctx.status !== 200) return;
  const { session, params, provider } = (ctx as unknown as KoaContextWithOIDC).oidc;
  if (!session || session.accountId) return;
  const { post_logout_redirect_uri: address, state } = params ?? {};
  const target = new URL(typeof address === 'string' ? address : provider.issuer);
  if (typeof address !== 'string') target.pathname = '/session/end/success';
  else if (typeof state === 'string') target.searchParams.set('state', state);
  ctx.status = 303;
  ctx.set('Location', target.href);
  ctx.body = '';
};
