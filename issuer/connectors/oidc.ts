/** Any OpenID provider, by discovery, with the code flow and PKCE. */
import { importJWK, type JWK } from 'jose';
import * as openid from 'openid-client';
import * as z from 'zod';
import {
  type ClaimNames,
  type Claims,
  isComplete,
  mergeClaims,
  toGroups,
  toIdentity,
} from './claims.ts';
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
import { createProviderFetch } from './provider-fetch.ts';
import {
  admissionOf,
  Domain,
  hasOneSecret,
  ProviderUrl,
  readOptional,
  readSecret,
  redirectSettings,
  TWO_SECRETS,
} from './settings.ts';

const TIMEOUT_SECONDS = 5;
const ClaimName = z.string().min(1).max(255);

/** A connector to an OpenID provider in CONNECTORS. */
export const OidcConnectorConfig = z
  .strictObject({
    type: z.literal('oidc'),
    ...redirectSettings,
    issuer: ProviderUrl,
    token_endpoint_auth_method: z
      .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
      .optional(),
    /** File with the private JSON Web Key of private_key_jwt (RFC 7523). */
    private_key_path: z.string().min(1).optional(),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
      .default(['openid', 'profile', 'email']),
    subject_claim: ClaimName.default('sub'),
    name_claim: ClaimName.default('name'),
    email_claim: ClaimName.default('email'),
    email_verified_claim: ClaimName.default('email_verified'),
    groups_claim: ClaimName.optional(),
    /** Asks for a refresh token, to ask again whether someone is still there. */
    refresh: z.boolean().default(false),
    /** A login_hint with an e-mail address of these domains leads here. */
    login_hint_domains: z.array(Domain).default([]),
  })
  .refine(hasOneSecret, TWO_SECRETS)
  .refine(
    ({ token_endpoint_auth_method: method, private_key_path: path }) =>
      (method === 'private_key_jwt') === (path !== undefined),
    'private_key_jwt and private_key_path go together.',
  );
export type OidcConnectorConfig = z.infer<typeof OidcConnectorConfig>;

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
  const discover = createDiscovery(await prepareDiscovery(config));
  const deps: Deps = { config, specialties, redirectUri, discover };
  const { id } = config;
  return {
    kind: 'redirect',
    id,
    name: config.name,
    type: specialties.type,
    admission: admissionOf(config),
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

const prepareDiscovery = async (
  config: OidcConnectorConfig,
): Promise<() => Promise<openid.Configuration>> => {
  const authentication = await createClientAuthentication(config);
  const providerFetch = createProviderFetch(await readOptional(config.certificate_authority_path));
  const issuer = new URL(config.issuer);
  const checks = [openid.enableNonRepudiationChecks];
  if (issuer.protocol === 'http:') checks.push(openid.allowInsecureRequests);
  return () =>
    openid.discovery(issuer, config.client_id, {}, authentication, {
      [openid.customFetch]: providerFetch as openid.CustomFetch,
      timeout: TIMEOUT_SECONDS,
      execute: checks,
    });
};

const createClientAuthentication = async (
  config: OidcConnectorConfig,
): Promise<openid.ClientAuth> => {
  const secret = await readSecret(config);
  const key = await readOptional(config.private_key_path);
  if (key !== undefined) return openid.PrivateKeyJwt(await importPrivateKey(JSON.parse(key)));
  const method = config.token_endpoint_auth_method;
  if (secret === undefined || method === 'none') return openid.None();
  const [basic, post] = [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)];
  if (method === 'client_secret_basic') return basic;
  if (method === 'client_secret_post') return post;
  // Both are common, but the encoding of RFC 6749 §2.3.1 in the first is often got wrong.
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? [];
    return methods.includes('client_secret_post') ? post(server, ...rest) : basic(server, ...rest);
  };
};

const importPrivateKey = async (jwk: JWK): Promise<openid.PrivateKey> => {
  const key = await importJWK(jwk, jwk.alg ?? 'ES256');
  if (key instanceof Uint8Array)
    throw new Error('private_key_path must hold a private JSON Web Key');
  return { key, ...(jwk.kid !== undefined && { kid: jwk.kid }) };
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
  });
  const isSafe = url.protocol === 'https:' || url.protocol === new URL(config.issuer).protocol;
  if (!isSafe) throw new UpstreamError(config.id, 'invalid');
  return { url, request: { connector: config.id, state, codeVerifier, nonce } };
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
  { connector, state, nonce, codeVerifier }: UpstreamRequest,
): Promise<UpstreamSignIn> => {
  const { config, redirectUri, discover } = deps;
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
  return toSignIn(deps, configuration, tokens);
};

const refresh = async (deps: Deps, refreshToken: string): Promise<UpstreamSignIn> => {
  const configuration = await deps.discover();
  const tokens = await openid.refreshTokenGrant(configuration, refreshToken);
  return toSignIn(deps, configuration, tokens, refreshToken);
};

type Tokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

const toSignIn = async (
  deps: Deps,
  configuration: openid.Configuration,
  tokens: Tokens,
  oldRefreshToken?: string,
): Promise<UpstreamSignIn> => {
  const { config, specialties } = deps;
  const { id, groups_claim } = config;
  const idToken = tokens.claims();
  const failure = checkIdToken(config, specialties, idToken);
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
  { refuse }: OidcSpecialties,
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
