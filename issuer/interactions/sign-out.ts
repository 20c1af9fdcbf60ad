/** The pages of RP-Initiated Logout; the logout itself is oidc-provider's. */
import type { Configuration } from 'oidc-provider';
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
