import type { Connector, PasswordConnector, RedirectConnector } from '../connectors/connector.ts';
import { type Html, html } from './html.ts';
import { connectorMark } from './marks.ts';
import type { Messages } from './messages/en.ts';
import type { Page } from './page.ts';

/** What the sign-in page shows. */
export type SignInView = {
  /** The interaction's own path. */
  readonly path: string;
  readonly connectors: readonly Connector[];
  /** What the person wants to get into. */
  readonly destination: string | undefined;
  /** Whether providers are to ask which account, because another one is wanted. */
  readonly selectAccount?: boolean | undefined;
  /** OpenID Connect's `login_hint`, to begin with. */
  readonly loginHint?: string | undefined;
  /** The attempt that failed: its connector and what was typed. */
  readonly failed?: { readonly connectorId: string; readonly username: string } | undefined;
};

/**
 * Asks who someone is: a button for each provider that the browser is sent to, and a form for each
 * connector with passwords, folded when there is another way.
 */
export const signInPage = (messages: Messages, view: SignInView): Page => {
  const { path, connectors, destination, failed } = view;
  const redirects = connectors.filter((connector) => connector.kind === 'redirect');
  const passwords = connectors.filter((connector) => connector.kind === 'password');
  const only = connectors.length === 1;
  return {
    title: messages.signIn.title,
    ...(failed && { status: 401 }),
    body: html`
${destination !== undefined && html`<p class="quiet">${messages.signIn.destination(destination)}</p>`}
${redirects.map((connector) => redirectLink(messages, view, connector))}
${redirects.length > 0 && passwords.length > 0 && html`<p class="or">${messages.signIn.or}</p>`}
${passwords.map((connector) => {
  const form = passwordForm(messages, view, connector);
  return only
    ? form
    : folded({ messages, connector, form, open: failed?.connectorId === connector.id });
})}
<form method="post" action="${path}/cancel"><button class="second">${messages.common.cancel}</button></form>`,
  };
};

/** A link, because of a form's redirects Chromium would follow only those that `form-action` names. */
const redirectLink = (
  { signIn }: Messages,
  { path, selectAccount }: SignInView,
  { id, name, type }: RedirectConnector,
): Html => html`<div class="connector">
<a class="button second with-mark" href="${path}/sign-in/${id}${selectAccount && '?account=select'}">${connectorMark(type)}<span>${signIn.continueWith(name)}</span></a>
</div>`;

type Folded = {
  readonly messages: Messages;
  readonly connector: PasswordConnector;
  readonly form: Html;
  readonly open: boolean;
};

const folded = ({ messages, connector, form, open }: Folded): Html =>
  html`<details class="connector"${open && html` open`}>
<summary>${messages.signIn.withPassword(connector.name)}</summary>
${form}
</details>`;

const passwordForm = (
  { signIn }: Messages,
  { path, connectors, failed, loginHint }: SignInView,
  connector: PasswordConnector,
): Html => {
  const only = connectors.length === 1;
  const failure = failed?.connectorId === connector.id ? failed : undefined;
  const id = `connector-${connector.id}`;
  return html`${only && html`<h2>${connector.name}</h2>`}
${
  failure &&
  html`<p class="alert" role="alert" id="${id}-error"><a href="#${id}-username">${signIn.wrongPassword}</a></p>`
}
<form method="post" action="${path}/sign-in/${connector.id}">
<label for="${id}-username">${signIn.username}</label>
<input id="${id}-username" type="text" name="username" value="${failure?.username ?? loginHint}" autocomplete="username"
  autocapitalize="none" spellcheck="false" required maxlength="255"${only && !failure && AUTOFOCUS}${describedBy(failure && id)}>
<label for="${id}-password">${signIn.password}</label>
<input id="${id}-password" type="password" name="password" autocomplete="current-password" required
  maxlength="1024"${failure && AUTOFOCUS}${describedBy(failure && id)}>
<button>${signIn.submit}</button>
</form>`;
};

const AUTOFOCUS = html` autofocus`;

const describedBy = (id: string | undefined): Html | undefined =>
  id === undefined ? undefined : html` aria-invalid="true" aria-describedby="${id}-error"`;
