/**
 * A token as cheaply as it can be had: the cached one while it is valid, then by refresh, then by
 * signing in. Two runs at once need no lock: the issuer answers a refresh token that is used twice
 * within seconds with one and the same successor.
 */
import * as oidc from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';
import { signInWithBrowser, signInWithDevice } from './sign-in.ts';
import type { CachedTokens, TokenCache } from './token-cache.ts';

/** What {@link getToken} needs. */
export type GetTokenOptions = {
  readonly issuerUrl: URL;
  readonly clientId: string;
  /** PEM of the authorities that are trusted. */
  readonly certificateAuthority: string | string[];
  readonly grantType: 'authcode' | 'device-code';
  readonly listenAddresses: readonly string[];
  /** The command that opens a URL, as in the BROWSER variable; without it the desktop's. */
  readonly browser?: string | undefined;
  readonly tokenType: 'id_token' | 'access_token';
  readonly forceRefresh: boolean;
  readonly cache: TokenCache;
  /** Tells the person what to do; not part of the output. */
  readonly notify: (message: string) => void;
};

/** A token and when it ends. */
export type Token = { readonly value: string; readonly expiresAt: Date };

/** A token is renewed this long before it ends, so that it does not end on the way. */
const MARGIN_SECONDS = 10;

/** @throws when the issuer can't be reached or refuses, or nobody signs in within three minutes */
export const getToken = async (options: GetTokenOptions): Promise<Token> => {
  const account = { issuer: options.issuerUrl.href, clientId: options.clientId };
  const cached = await options.cache.read(account);
  const valid = cached && !options.forceRefresh && pickToken(cached, options.tokenType);
  if (valid && valid.expiresAt.getTime() > Date.now() + MARGIN_SECONDS * 1000) return valid;

  const configuration = await discover(options);
  const response =
    (await refresh(configuration, cached?.refreshToken)) ?? (await signIn(configuration, options));
  const tokens = toCachedTokens(response);
  await options.cache.write(account, tokens);
  return pickToken(tokens, options.tokenType);
};

const discover = ({ issuerUrl, clientId, certificateAuthority }: GetTokenOptions) => {
  const dispatcher = new Agent({ connect: { ca: certificateAuthority } });
  const customFetch = (url: string, init: object) => undiciFetch(url, { ...init, dispatcher });
  return oidc.discovery(issuerUrl, clientId, undefined, oidc.None(), {
    [oidc.customFetch]: customFetch as unknown as oidc.CustomFetch,
  });
};

/** `undefined` when signing in again is what is left: no refresh token, or the issuer refuses it. */
const refresh = async (
  configuration: oidc.Configuration,
  refreshToken: string | undefined,
): Promise<oidc.TokenEndpointResponse | undefined> => {
  if (refreshToken === undefined) return undefined;
  try {
    return await oidc.refreshTokenGrant(configuration, refreshToken);
  } catch (error) {
    if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant')
      return undefined;
    throw error;
  }
};

const signIn = (
  configuration: oidc.Configuration,
  options: GetTokenOptions,
): Promise<oidc.TokenEndpointResponse> => {
  // An access token for the API has its scope; whoever needs none of it doesn't ask.
  const scope = `openid offline_access${options.tokenType === 'access_token' ? ' api' : ''}`;
  return options.grantType === 'device-code'
    ? signInWithDevice(configuration, { ...options, scope })
    : signInWithBrowser(configuration, { ...options, scope });
};

const toCachedTokens = (response: oidc.TokenEndpointResponse): CachedTokens => {
  if (response.id_token === undefined) throw new Error('the issuer sent no ID token');
  const now = Math.floor(Date.now() / 1000);
  return {
    idToken: response.id_token,
    idTokenExpiresAt: expiryOf(response.id_token),
    accessToken: response.access_token,
    accessTokenExpiresAt: now + (response.expires_in ?? 0),
    ...(response.refresh_token !== undefined && { refreshToken: response.refresh_token }),
  };
};

/** The `exp` claim (RFC 7519, 4.1.4); openid-client has verified the token. */
const expiryOf = (idToken: string): number => {
  const [, payload = ''] = idToken.split('.');
  return Number(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).exp);
};

const pickToken = (tokens: CachedTokens, type: GetTokenOptions['tokenType']): Token =>
  type === 'id_token'
    ? { value: tokens.idToken, expiresAt: new Date(tokens.idTokenExpiresAt * 1000) }
    : { value: tokens.accessToken, expiresAt: new Date(tokens.accessTokenExpiresAt * 1000) };
