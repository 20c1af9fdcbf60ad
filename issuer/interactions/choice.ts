/** Which connectors a sign-in offers, and whether there is nothing to choose, pure. */
import type { Connector, RedirectConnector } from '../connectors/connector.ts';
import { parseEmailDomain } from '../people/admission.ts';

/** What an authorization request says about how to sign in. */
export type SignInHints = {
  /** The parameter `connector_id`. */
  readonly connectorId?: string | undefined;
  /** OpenID Connect's `login_hint`. */
  readonly loginHint?: string | undefined;
};

/**
 * The connectors to offer: the one that was asked for; or those whose people have e-mail addresses like
 * the one in `login_hint`; or, when that says nothing, all.
 */
export const offerConnectors = (
  connectors: readonly Connector[],
  { connectorId, loginHint }: SignInHints,
): readonly Connector[] => {
  const asked = connectors.filter(({ id }) => id === connectorId);
  if (asked.length > 0) return asked;
  const domain = loginHint === undefined ? undefined : parseEmailDomain(loginHint);
  const fitting = connectors.filter((each) => domain !== undefined && isFor(each, domain));
  return fitting.length > 0 ? fitting : connectors;
};

const isFor = (connector: Connector, domain: string): boolean => {
  const domains = connector.kind === 'redirect' ? (connector.domains ?? []) : [];
  return [...domains, ...(connector.admission?.allowed_email_domains ?? [])].includes(domain);
};

/** The provider to send the browser to at once, when that is the only thing on offer. */
export const onlyProvider = (offered: readonly Connector[]): RedirectConnector | undefined => {
  const [first, second] = offered;
  return second === undefined && first?.kind === 'redirect' ? first : undefined;
};
