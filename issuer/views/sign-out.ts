import { html } from './html.ts';
import type { Page } from './page.ts';

/** Asks whether to sign out of this browser (OpenID Connect RP-Initiated Logout 1.0). */
export const signOutPage = (action: string, xsrf: string): Page => ({
  title: 'Sign out?',
  body: html`
<p>This ends your session in this browser. Terminals that are signed in stay so until their sign-in ends.</p>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}"><input type="hidden" name="logout" value="yes">
<button autofocus>Sign out</button>
</form>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}">
<button class="second">Stay signed in</button>
</form>`,
});

/** Says that the session is over. */
export const signedOutPage: Page = {
  title: 'You are signed out',
  body: html`<p>You can close this page.</p>`,
};
