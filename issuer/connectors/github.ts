/** GitHub: OAuth 2.0 and its REST API, as GitHub is no OpenID provider for signing people in. */
import * as openid from 'openid-client';
import * as z from 'zod';
import {
  type BeginOptions,
  type RedirectConnector,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamSignIn,
} from './connector.ts';
import { toRefreshError, toSignInError } from './failure.ts';
import { lookUp } from './github-account.ts';
import { parseAnswer } from './github-api.ts';
import type { GitHubConnectorConfig } from './github-config.ts';
import { createProviderFetch, type ProviderFetch } from './provider-fetch.ts';
import { admissionOf, readOptional, readSecret } from './settings.ts';

type Deps = {
  readonly config: GitHubConnectorConfig;
  readonly redirectUri: string;
  readonly clientSecret: string;
  readonly fetch: ProviderFetch;
};

/**
 * A connector to GitHub.
 *
 * @param redirectUri the connector's own callback
 * @throws when a file that the settings name can't be read
 */
export const createGitHubConnector = async (
  config: GitHubConnectorConfig,
  redirectUri: string,
): Promise<RedirectConnector> => {
  const clientSecret = (await readSecret(config)) ?? '';
  const fetch = createProviderFetch(await readOptional(config.certificate_authority_path));
  const deps: Deps = { config, redirectUri, clientSecret, fetch };
  return {
    kind: 'redirect',
    id: config.id,
    name: config.name,
    type: 'github',
    admission: admissionOf(config),
    linking: config.linking,
    providesGroups: config.groups,
    domains: [],
    begin: (options) => begin(deps, options),
    complete: (answer, request) =>
      complete(deps, answer, request).catch((error: unknown) => {
        throw toSignInError(config.id, error);
      }),
    refresh: ({ value }) =>
      lookUp(deps, value).catch((error: unknown) => {
        throw toRefreshError(config.id, error);
      }),
  };
};

const begin = async (
  { config, redirectUri }: Deps,
  { state, loginHint, forceLogin, selectAccount }: BeginOptions,
): Promise<{ url: URL; request: UpstreamRequest }> => {
  const codeVerifier = openid.randomPKCECodeVerifier();
  const url = new URL(`${config.base_url}/login/oauth/authorize`);
  url.search = new URLSearchParams({
    client_id: config.client_id,
    redirect_uri: redirectUri,
    scope: scopesOf(config).join(' '),
    state,
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(loginHint !== undefined && { login: loginHint }),
    // GitHub can't ask for a password again, but it can ask which account.
    ...((forceLogin || selectAccount) && { prompt: 'select_account' }),
  }).toString();
  return { url, request: { connector: config.id, state, codeVerifier } };
};

/** `read:org` only where organizations or teams are looked at. */
const scopesOf = ({ organizations, groups }: GitHubConnectorConfig): readonly string[] => [
  'read:user',
  'user:email',
  ...(groups || organizations.length > 0 ? ['read:org'] : []),
];

const complete = async (
  deps: Deps,
  answer: URL,
  request: UpstreamRequest,
): Promise<UpstreamSignIn> => {
  const code = readCode(deps.config, answer.searchParams, request);
  return lookUp(deps, await redeem(deps, code, request.codeVerifier));
};

/** The answer's code, once the answer is known to belong to the request (RFC 6749 §4.1.2, RFC 9207). */
const readCode = (
  { id, base_url }: GitHubConnectorConfig,
  parameters: URLSearchParams,
  { connector, state }: UpstreamRequest,
): string => {
  const isTwice = ['code', 'state', 'error', 'iss'].some(
    (name) => parameters.getAll(name).length > 1,
  );
  const issuer = parameters.get('iss');
  const isForeign = issuer !== null && !isBelow(issuer, base_url);
  if (isTwice || isForeign || connector !== id || parameters.get('state') !== state) {
    throw new UpstreamError(id, 'invalid');
  }
  const error = parameters.get('error');
  if (error !== null) {
    throw new UpstreamError(id, error === 'access_denied' ? 'denied' : 'unavailable');
  }
  const code = parameters.get('code');
  if (code === null || code === '') throw new UpstreamError(id, 'invalid');
  return code;
};

const isBelow = (issuer: string, baseUrl: string): boolean =>
  issuer === baseUrl || issuer.startsWith(`${baseUrl}/`);

/** GitHub answers 200 to a refusal as well. */
const TokenAnswer = z.union([
  z.object({ access_token: z.string().min(1), token_type: z.string().regex(/^bearer$/i) }),
  z.object({ error: z.string() }),
]);

const redeem = async (
  { config, redirectUri, clientSecret, fetch }: Deps,
  code: string,
  codeVerifier: string,
): Promise<string> => {
  const answer = await fetch(`${config.base_url}/login/oauth/access_token`, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({
      client_id: config.client_id,
      client_secret: clientSecret,
      code,
      redirect_uri: redirectUri,
      code_verifier: codeVerifier,
    }),
  });
  if (answer.status !== 200) throw new UpstreamError(config.id, 'unavailable');
  const tokens = await parseAnswer({ connector: config.id }, answer, TokenAnswer);
  if ('access_token' in tokens) return tokens.access_token;
  const isCode = tokens.error === 'bad_verification_code';
  throw new UpstreamError(config.id, isCode ? 'invalid' : 'unavailable');
};
