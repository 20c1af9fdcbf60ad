/** What the tokens of an OpenID provider say of someone. */
import * as openid from 'openid-client';
import {
  type ClaimNames,
  type Claims,
  isComplete,
  mergeClaims,
  toGroups,
  toIdentity,
} from './claims.ts';
import { UpstreamError, type UpstreamFailure, type UpstreamSignIn } from './connector.ts';
import type { OidcConnectorConfig } from './oidc-config.ts';

/** An answer of the token endpoint. */
export type Tokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

/** Tokens, and by whose settings and of which provider they are. */
export type TokenSource = {
  readonly config: OidcConnectorConfig;
  readonly configuration: openid.Configuration;
  readonly tokens: Tokens;
  /** Looks at a verified ID token; says why its account isn't taken. */
  readonly refuse: ((idToken: Claims) => UpstreamFailure | undefined) | undefined;
  /** What goes on to be used when a refresh gives no other. */
  readonly oldRefreshToken?: string | undefined;
};

/**
 * What tokens say of someone.
 *
 * @throws UpstreamError when the connector's rules don't take the account
 */
export const readTokens = async ({
  config,
  configuration,
  tokens,
  refuse,
  oldRefreshToken,
}: TokenSource): Promise<UpstreamSignIn> => {
  const { id, groups_claim } = config;
  const idToken = tokens.claims();
  const failure = checkIdToken(config, refuse, idToken);
  if (failure) throw new UpstreamError(id, failure);
  const claims = await gatherClaims(config, { configuration, tokens, idToken });
  const identity = toIdentity(id, claims, config);
  if (config.require_verified_email && !identity.emailVerified) {
    throw new UpstreamError(id, 'unverified_email');
  }
  const value = tokens.refresh_token ?? oldRefreshToken;
  return {
    identity,
    groups: groups_claim === undefined ? undefined : toGroups(id, claims, groups_claim),
    credential: value === undefined ? undefined : { kind: 'refresh_token', value },
  };
};

/** What openid-client leaves to its users: `azp` (OpenID Connect Core §3.1.3.7), and the provider's own. */
const checkIdToken = (
  { client_id }: OidcConnectorConfig,
  refuse: TokenSource['refuse'],
  idToken: Claims | undefined,
): UpstreamFailure | undefined => {
  if (!idToken) return refuse ? 'invalid' : undefined;
  if (idToken['azp'] !== undefined && idToken['azp'] !== client_id) return 'invalid';
  return refuse?.(idToken);
};

type ClaimSources = {
  readonly configuration: openid.Configuration;
  readonly tokens: Tokens;
  /** A refresh may give none. */
  readonly idToken: (Claims & { readonly sub: string }) | undefined;
};

const gatherClaims = async (
  names: ClaimNames,
  { configuration, tokens, idToken }: ClaimSources,
): Promise<Claims> => {
  const hasUserinfo = configuration.serverMetadata().userinfo_endpoint !== undefined;
  if (idToken && (!hasUserinfo || isComplete(idToken, names))) return idToken;
  const subject = idToken?.sub ?? openid.skipSubjectCheck;
  const userinfo = await openid.fetchUserInfo(configuration, tokens.access_token, subject);
  return idToken ? mergeClaims(idToken, userinfo, names) : userinfo;
};
