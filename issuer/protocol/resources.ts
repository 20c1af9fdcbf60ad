/**
 * Which client gets access tokens for which resource (RFC 8707): the API's for the command line and for
 * web clients that are allowed to, as a JWT (RFC 9068), and nothing for the clients of workspaces. So a
 * token for a workspace never opens the API, nor the API's a workspace.
 */
import { errors, type ResourceServer } from 'oidc-provider';
import { API_TOKEN_SECONDS } from './time-to-live.ts';

/** The scope of the API's access tokens. */
export const API_SCOPE = 'api';

type ResourceClient = { readonly clientId: string };

/** The configuration of resource indicators. @param apiClients the ids of clients that may call the API */
export const createResourceIndicators = (apiAudience: string, apiClients: ReadonlySet<string>) => ({
  enabled: true,
  defaultResource: (_ctx: unknown, client: ResourceClient, oneOf?: readonly string[]) => {
    if (oneOf) return oneOf;
    return apiClients.has(client.clientId) ? apiAudience : undefined;
  },
  // A refresh names no resource: it goes on with the one that was granted.
  useGrantedResource: () => true,
  getResourceServerInfo: (
    _ctx: unknown,
    resource: string,
    client: ResourceClient,
  ): ResourceServer => {
    if (resource !== apiAudience || !apiClients.has(client.clientId)) {
      throw new errors.InvalidTarget('this client gets no tokens for that resource');
    }
    return {
      scope: API_SCOPE,
      audience: apiAudience,
      accessTokenTTL: API_TOKEN_SECONDS,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'ES256' } },
    };
  },
});
