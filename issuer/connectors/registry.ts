/** From settings to connectors. */
import type { ConnectorSettings } from './config.ts';
import type { Connector } from './connector.ts';
import { createGitHubConnector } from './github.ts';
import { createGoogleConnector } from './google.ts';
import { createLocalConnector, createPasswordTurns } from './local.ts';
import { createOidcConnector } from './oidc.ts';

/**
 * Makes the connectors. No provider is asked anything yet, so one that is down doesn't stop the issuer.
 *
 * @param issuerUrl an https origin; callbacks are below it
 * @throws when a file that the settings name can't be read
 */
export const createConnectors = (
  settings: readonly ConnectorSettings[],
  issuerUrl: string,
): Promise<Connector[]> => {
  const turns = createPasswordTurns();
  return Promise.all(
    settings.map((each) => {
      const redirectUri = callbackOf(issuerUrl, each.id);
      return each.type === 'local'
        ? createLocalConnector(each, turns)
        : createRedirectConnector(each, redirectUri);
    }),
  );
};

/**
 * Where a provider sends its answer: an address for each connector, so that the answer of one is never
 * taken for another's (RFC 9700 §4.4.2).
 */
export const callbackOf = (issuerUrl: string, connectorId: string): string =>
  `${issuerUrl}/connectors/${connectorId}/callback`;

const createRedirectConnector = (
  settings: Exclude<ConnectorSettings, { type: 'local' }>,
  redirectUri: string,
): Promise<Connector> => {
  switch (settings.type) {
    case 'oidc':
      return createOidcConnector(settings, redirectUri);
    case 'google':
      return createGoogleConnector(settings, redirectUri);
    case 'github':
      return createGitHubConnector(settings, redirectUri);
  }
};
