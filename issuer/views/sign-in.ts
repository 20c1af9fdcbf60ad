import type { Connector } from '../connectors/connector.ts';
import { type Html, html } from './html.ts';
import type { Page } from './page.ts';

/** What the sign-in page shows. */
export type SignInView = {
  /** The interaction's own path. */
  readonly path: string;
  readonly connectors: readonly Connector[];
  /** What the person wants to get into. */
  readonly destination: string | undefined;
  /** The attempt that failed: its connector and what was typed. */
  readonly failed?: { readonly connectorId: string; readonly username: string } | undefined;
};

/** Asks who someone is: one form for each connector. */
export const signInPage = ({ path, connectors, destination, failed }: SignInView): Page => ({
  title: 'Sign in',
  ...(failed && { status: 401 }),
  body: html`
${destination && html`<p class="quiet">to continue to <strong>${destination}</strong></p>`}
${connectors.map((connector) => passwordForm({ path, connector, failed, only: connectors.length === 1 }))}
<form method="post" action="${path}/cancel"><button class="second">Cancel</button></form>`,
});

type PasswordForm = {
  readonly path: string;
  readonly connector: Connector;
  readonly failed: SignInView['failed'];
  readonly only: boolean;
};

const passwordForm = ({ path, connector, failed, only }: PasswordForm): Html => {
  const failure = failed?.connectorId === connector.id ? failed : undefined;
  const id = `connector-${connector.id}`;
  return html`<section class="connector" aria-labelledby="${id}">
<h2 id="${id}">${connector.name}</h2>
${
  failure &&
  html`<p class="alert" role="alert" id="${id}-error">Username and password don’t belong together. Check both and try again.</p>`
}
<form method="post" action="${path}/sign-in/${connector.id}">
<label for="${id}-username">Username</label>
<input id="${id}-username" type="text" name="username" value="${failure?.username}" autocomplete="username"
  autocapitalize="none" spellcheck="false" required maxlength="255"${only && !failure && AUTOFOCUS}${describedBy(failure && id)}>
<label for="${id}-password">Password</label>
<input id="${id}-password" type="password" name="password" autocomplete="current-password" required
  maxlength="1024"${failure && AUTOFOCUS}${describedBy(failure && id)}>
<button>Sign in</button>
</form>
</section>`;
};

const AUTOFOCUS = html` autofocus`;

const describedBy = (id: string | undefined): Html | undefined =>
  id === undefined ? undefined : html` aria-invalid="true" aria-describedby="${id}-error"`;
