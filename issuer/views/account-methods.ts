import type { Connector, PasswordConnector } from '../connectors/connector.ts';
import { accountNavigation } from './account-frame.ts';
import { type Html, html } from './html.ts';
import { connectorMark } from './marks.ts';
import type { Messages } from './messages/en.ts';
import type { Page } from './page.ts';

/** One of a person's ways to sign in. */
export type Method = {
  readonly connector: string;
  readonly subject: string;
  /** `undefined` when the connector isn't in the settings any more. */
  readonly connectorName: string | undefined;
  readonly removable: boolean;
};

/** What the page of ways to sign in shows. */
export type MethodsView = {
  readonly personName: string;
  readonly methods: readonly Method[];
  /** Those whose accounts can be added. */
  readonly connectors: readonly Connector[];
};

/** How someone signs in, each way with a way to remove it, and the ways to add. */
export const methodsPage = (messages: Messages, view: MethodsView): Page => {
  const words = messages.account.methods;
  return {
    title: words.title,
    body: html`
<p class="quiet">${messages.account.signedInAs(view.personName)}</p>
${accountNavigation(messages, 'methods')}
<section aria-labelledby="yours"><h2 id="yours">${words.yours}</h2>
${view.methods.some(({ removable }) => removable) && html`<p class="quiet">${words.unlinkEnds}</p>`}
<ul class="entries">${view.methods.map((method) => entry(words, method))}</ul>
</section>
${
  view.connectors.length > 0 &&
  html`<section aria-labelledby="add"><h2 id="add">${words.add}</h2>
<p class="quiet">${words.fresh}</p>
${view.connectors.map(
  ({ id, name }) =>
    html`<form method="post" action="/account/sign-in-methods/${id}/link"><button class="second">${words.addOf(name)}</button></form>`,
)}
</section>`
}`,
  };
};

type Words = Messages['account']['methods'];

const entry = (words: Words, method: Method): Html => {
  const { connector, subject, connectorName, removable } = method;
  return html`<li><h3>${connectorName ?? connector}</h3>
<p class="quiet"><code>${subject}</code></p>
${connectorName === undefined && html`<p>${words.gone}</p>`}
${
  removable
    ? html`<form method="post" action="/account/sign-in-methods/unlink">
<input type="hidden" name="connector" value="${connector}"><input type="hidden" name="subject" value="${subject}">
<button class="second" aria-label="${words.unlinkOf(`${connectorName ?? connector} ${subject}`)}">${words.unlink}</button></form>`
    : html`<p class="quiet">${words.only}</p>`
}</li>`;
};

/** Leads on to a provider, to prove an account there. */
export const linkProviderPage = (
  messages: Messages,
  { connector, url }: { readonly connector: Connector; readonly url: URL },
): Page => ({
  title: messages.account.methods.addOf(connector.name),
  body: html`
<a class="button with-mark" href="${url.href}">${
    connector.kind === 'redirect' && connectorMark(connector.type)
  }<span>${messages.signIn.continueWith(connector.name)}</span></a>
${back(messages)}`,
});

/** What the page for a password shows. */
export type LinkPasswordView = {
  readonly connector: PasswordConnector;
  readonly failed?: { readonly username: string };
};

/** Asks for the password of an account that is to be added. */
export const linkPasswordPage = (
  messages: Messages,
  { connector, failed }: LinkPasswordView,
): Page => ({
  title: messages.account.methods.addOf(connector.name),
  ...(failed && { status: 401 }),
  body: html`
${failed && html`<p class="alert" role="alert" id="wrong"><a href="#username">${messages.signIn.wrongPassword}</a></p>`}
<form method="post" action="/account/sign-in-methods/${connector.id}/password">
<label for="username">${messages.signIn.username}</label>
<input id="username" type="text" name="username" value="${failed?.username}" autocomplete="off" autocapitalize="none"
  spellcheck="false" required maxlength="255"${failed && DESCRIBED}>
<label for="password">${messages.signIn.password}</label>
<input id="password" type="password" name="password" autocomplete="off" required maxlength="1024"${failed && DESCRIBED}>
<button>${messages.account.methods.addOf(connector.name)}</button>
</form>
${back(messages)}`,
});

const DESCRIBED = html` aria-invalid="true" aria-describedby="wrong"`;

/** Says that an account is somebody else's. */
export const takenPage = (messages: Messages, connectorName: string): Page => ({
  title: messages.account.methods.taken,
  status: 409,
  body: html`
<p>${messages.account.methods.takenText(connectorName)}</p>
${back(messages)}`,
});

const back = ({ account }: Messages): Html =>
  html`<a class="button second" href="/account/sign-in-methods">${account.methods.back}</a>`;
