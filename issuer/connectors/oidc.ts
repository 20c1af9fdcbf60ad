/** Any OpenID provider, by discovery, with the code flow and PKCE. */
import * as openid from 'openid-client';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';
import type { Claims } from './claims.ts';
import {
  type BeginOptions,
  type RedirectConnector,
  UpstreamError,
  type UpstreamFailure,
  type UpstreamRequest,
  type UpstreamSignIn,
} from './connector.ts';
import { createDiscovery } from './discovery.ts';
import { toRefreshError, toSignInError } from './failure.ts';
import type { OidcConnectorConfig } from './oidc-config.ts';
import { readTokens } from './oidc-tokens.ts';
import { admissionOf } from './settings.ts';

/** What a kind of provider does on top of the protocol. */
export type OidcSpecialties = {
  readonly type: 'oidc' | 'google';
  /** Authorization parameters of its own. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Prompts that every sign-in has, and the one that asks for credentials again. */
  readonly prompts: { readonly always: readonly string[]; readonly login: string };
  /** Looks at a verified ID token; says why its account isn't taken. */
  readonly refuse?: (idToken: Claims) => UpstreamFailure | undefined;
};

const PLAIN: OidcSpecialties = {
  type: 'oidc',
  parameters: {},
  prompts: { always: [], login: 'login' },
};

/** How old a sign-in there may be that was to be made again, in seconds. */
const FRESH_SECONDS = 5 * 60;

type Deps = {
  readonly config: OidcConnectorConfig;
  readonly specialties: OidcSpecialties;
  readonly redirectUri: string;
  readonly discover: () => Promise<openid.Configuration>;
};

/**
 * A connector to an OpenID provider. Discovery waits for the first sign-in, and is tried again after a
 * failure.
 *
 * @param redirectUri the connector's own callback
 * @throws when a file that the settings name can't be read
 */
export const createOidcConnector = async (
  config: OidcConnectorConfig,
  redirectUri: string,
  specialties: OidcSpecialties = PLAIN,
): Promise<RedirectConnector> => {
  const discover = await createDiscovery(config);
  const deps: Deps = { config, specialties, redirectUri, discover };
  const { id } = config;
  return {
    kind: 'redirect',
    id,
    name: config.name,
    type: specialties.type,
    admission: admissionOf(config),
    linking: config.linking,
    providesGroups: config.groups_claim !== undefined,
    domains: config.login_hint_domains,
    begin: (options) => begin(deps, options).catch(rethrow((error) => toSignInError(id, error))),
    complete: (answer, request) =>
      complete(deps, answer, request).catch(rethrow((error) => toSignInError(id, error))),
    refresh: (credential) =>
      refresh(deps, credential.value).catch(rethrow((error) => toRefreshError(id, error))),
  };
};

const rethrow =
  (translate: (error: unknown) => UpstreamError) =>
  (error: unknown): never => {
    throw translate(error);
  };

const begin = async (
  { config, specialties, redirectUri, discover }: Deps,
  options: BeginOptions,
): Promise<{ url: URL; request: UpstreamRequest }> => {
  const configuration = await discover();
  const codeVerifier = openid.randomPKCECodeVerifier();
  const nonce = openid.randomNonce();
  const { state, loginHint } = options;
  const prompts = promptsOf(specialties, options);
  const maxAge = prompts.includes('login') ? FRESH_SECONDS : undefined;
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: scopesOf(config).join(' '),
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...specialties.parameters,
    ...(loginHint !== undefined && { login_hint: loginHint }),
    ...(prompts.length > 0 && { prompt: prompts.join(' ') }),
    ...(maxAge !== undefined && { max_age: `${maxAge}` }),
  });
  const isSafe = url.protocol === 'https:' || url.protocol === new URL(config.issuer).protocol;
  if (!isSafe) throw new UpstreamError(config.id, 'invalid');
  return { url, request: { connector: config.id, state, codeVerifier, nonce, maxAge } };
};

const promptsOf = (
  { prompts }: OidcSpecialties,
  { forceLogin, selectAccount }: BeginOptions,
): readonly string[] => [
  ...new Set([
    ...prompts.always,
    ...(forceLogin ? [prompts.login] : []),
    ...(selectAccount ? ['select_account'] : []),
  ]),
];

const scopesOf = ({ scopes, refresh, groups_claim }: OidcConnectorConfig): readonly string[] => {
  const asksAgain = refresh || groups_claim !== undefined;
  return [...new Set(['openid', ...scopes, ...(asksAgain ? ['offline_access'] : [])])];
};

const complete = async (
  deps: Deps,
  answer: URL,
  { connector, state, nonce, codeVerifier, maxAge }: UpstreamRequest,
): Promise<UpstreamSignIn> => {
  const { config, specialties, redirectUri, discover } = deps;
  if (connector !== config.id || nonce === undefined) throw new UpstreamError(config.id, 'invalid');
  const callback = new URL(redirectUri);
  callback.search = answer.search;
  const configuration = await discover();
  const tokens = await openid.authorizationCodeGrant(configuration, callback, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: codeVerifier,
    idTokenExpected: true,
  });
  if (!isFresh(tokens.claims()?.auth_time, maxAge)) throw new UpstreamError(config.id, 'stale');
  return readTokens({ config, configuration, tokens, refuse: specialties.refuse });
};

/** Where credentials were to be asked for again; a provider that doesn't tell `auth_time` is believed. */
const isFresh = (authTime: number | undefined, maxAge: number | undefined): boolean =>
  authTime === undefined ||
  maxAge === undefined ||
  Date.now() / 1000 - authTime <= maxAge + CLOCK_SKEW_SECONDS;

const refresh = async (
  { config, specialties, discover }: Deps,
  refreshToken: string,
): Promise<UpstreamSignIn> => {
  const configuration = await discover();
  const tokens = await openid.refreshTokenGrant(configuration, refreshToken);
  const { refuse } = specialties;
  return readTokens({ config, configuration, tokens, refuse, oldRefreshToken: refreshToken });
};
