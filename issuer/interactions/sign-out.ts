/** The pages of RP-Initiated Logout; the logout itself is oidc-provider's. */
import type { Configuration } from 'oidc-provider';
import { sendPage } from '../views/page.ts';
import { signedOutPage, signOutPage } from '../views/sign-out.ts';

type Logout = NonNullable<NonNullable<Configuration['features']>['rpInitiatedLogout']>;

/** The configuration of logout, with its two pages. */
export const LOGOUT: Logout = {
  enabled: true,
  logoutSource: async (ctx) => {
    const secret = String(ctx.oidc.session?.state?.['secret']);
    sendPage(ctx, signOutPage(ctx.oidc.urlFor('end_session_confirm'), secret));
  },
  postLogoutSuccessSource: async (ctx) => sendPage(ctx, signedOutPage),
};
