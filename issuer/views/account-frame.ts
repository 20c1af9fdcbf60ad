import { type Html, html } from './html.ts';
import type { Messages } from './messages/en.ts';

/** The links between the account pages. */
export const accountNavigation = (
  { account }: Messages,
  current: 'sessions' | 'methods',
): Html => html`<nav class="tabs" aria-label="${account.pages}">
<a href="/account/sessions"${current === 'sessions' && CURRENT}>${account.sessions.link}</a>
<a href="/account/sign-in-methods"${current === 'methods' && CURRENT}>${account.methods.link}</a>
</nav>`;

const CURRENT = html` aria-current="page"`;
