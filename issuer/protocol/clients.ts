/**
 * OAuth clients: one for each workspace, read from its row, and the one of the command line. All are
 * native and public (RFC 8252), and none has a secret. The account pages' own is a web client.
 */
import type { AdapterPayload, ClientMetadata } from 'oidc-provider';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';

/** The client of the `hexabase` command, whose access tokens are for the API. */
export const CLI_CLIENT_ID = 'hexabase-cli';

/** RFC 8693. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 8628. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

// Any port is allowed on these (RFC 8252 §7.3), but with and without a slash are two addresses; the
// ones with a port are what kubelogin sends, for readers of the list.
const LOOPBACK_REDIRECTS = [
  'http://localhost',
  'http://localhost/',
  'http://localhost:8000',
  'http://localhost:18000',
  'http://127.0.0.1',
  'http://127.0.0.1/',
  'http://[::1]',
  'http://[::1]/',
];

const nativeClient = (id: string, name: string): ClientMetadata => ({
  client_id: id,
  client_name: name,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE_GRANT, TOKEN_EXCHANGE_GRANT],
  response_types: ['code'],
  redirect_uris: LOOPBACK_REDIRECTS,
  id_token_signed_response_alg: 'ES256',
});

/** The clients that no row describes. */
export const FIXED_CLIENTS: readonly ClientMetadata[] = [
  nativeClient(CLI_CLIENT_ID, 'Hexabase command line'),
];

/** The client of the account pages, by which they have people sign in. */
export const ACCOUNT_CLIENT_ID = 'hexabase-account';

/** Where a sign-in to the account pages leads back to. */
export const accountRedirectUri = (issuerUrl: string): string => `${issuerUrl}/account/signed-in`;

/**
 * The account pages' client.
 *
 * @param issuerUrl an https origin
 * @param platformName what the pages call the platform
 */
export const accountClient = (issuerUrl: string, platformName: string): ClientMetadata => ({
  client_id: ACCOUNT_CLIENT_ID,
  client_name: `${platformName} account`,
  application_type: 'web',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code'],
  response_types: ['code'],
  redirect_uris: [accountRedirectUri(issuerUrl)],
  id_token_signed_response_alg: 'ES256',
});

const WorkspaceNameRow = z.strictObject({ name: z.string() });

/** The client whose id is a workspace's; `undefined` when there is no such workspace. */
export const findWorkspaceClient = async (
  db: CommonQueryMethods,
  clientId: string,
): Promise<AdapterPayload | undefined> => {
  const workspaceId = parseId('workspace', clientId);
  if (workspaceId === undefined) return undefined;
  const workspace = await selectWorkspaceName(db, workspaceId);
  return workspace ? { ...nativeClient(clientId, workspace.name) } : undefined;
};

const selectWorkspaceName = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<z.infer<typeof WorkspaceNameRow> | null> =>
  db.maybeOne(sql.prepared('issuer_workspace_name', WorkspaceNameRow)`
    SELECT name FROM workspace WHERE id = ${workspaceId}::uuid
  `);
