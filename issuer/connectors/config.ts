/** The setting CONNECTORS: how people sign in. */
import * as z from 'zod';
import { GitHubConnectorConfig } from './github-config.ts';
import { GoogleConnectorConfig } from './google.ts';
import { LocalConnectorConfig } from './local.ts';
import { OidcConnectorConfig } from './oidc-config.ts';

/** One connector's settings, by its type. */
export const ConnectorSettings = z.discriminatedUnion('type', [
  LocalConnectorConfig,
  OidcConnectorConfig,
  GoogleConnectorConfig,
  GitHubConnectorConfig,
]);
export type ConnectorSettings = z.infer<typeof ConnectorSettings>;

/** All connectors, in the order in which the sign-in page offers them. */
export const ConnectorList = z
  .array(ConnectorSettings)
  .min(1, 'Must have at least one connector.')
  .refine(
    (connectors) => new Set(connectors.map(({ id }) => id)).size === connectors.length,
    'Each connector has an id of its own.',
  );
