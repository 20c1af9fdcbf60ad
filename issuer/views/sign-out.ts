import { html } from './html.ts';
import type { Messages } from './messages/en.ts';
import type { Page } from './page.ts';

/** Asks whether to sign out of this browser (OpenID Connect RP-Initiated Logout 1.0). */
export const signOutPage = (
  { signOut }: Messages,
  { action, xsrf }: { readonly action: string; readonly xsrf: string },
): Page => ({
  title: signOut.title,
  body: html`
<p>${signOut.text}</p>
<p><a href="/account/sessions">${signOut.everywhere}</a></p>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}"><input type="hidden" name="logout" value="yes">
<button autofocus>${signOut.submit}</button>
</form>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}">
<button class="second">${signOut.stay}</button>
</form>`,
});

/** Says that the session is over. */
export const signedOutPage = ({ signOut, common }: Messages): Page => ({
  title: signOut.done,
  body: html`<p>${common.closePage}</p>`,
});
