/** GitHub: OAuth 2.0 and its REST API, as GitHub is no OpenID provider for signing people in. */
import * as openid from 'openid-client';
import * as z from 'zod';
import { toDisplayName, toEmail } from './claims.ts';
import {
  type BeginOptions,
  type RedirectConnector,
  UpstreamError,
  type UpstreamIdentity,
  type UpstreamRequest,
  type UpstreamSignIn,
} from './connector.ts';
import { toRefreshError, toSignInError } from './failure.ts';
import {
  createGitHubApi,
  type GitHubAddress,
  type GitHubApi,
  type GitHubUser,
  parseAnswer,
} from './github-api.ts';
import { createProviderFetch, type ProviderFetch } from './provider-fetch.ts';
import {
  admissionOf,
  hasOneSecret,
  ProviderUrl,
  readOptional,
  readSecret,
  redirectSettings,
  TWO_SECRETS,
} from './settings.ts';
import { withParents } from './teams.ts';

const SIGN_IN_MS = 20_000;
const MAX_PARENT_LOOKUPS = 100;

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** A connector to GitHub in CONNECTORS. */
export const GitHubConnectorConfig = z
  .strictObject({
    type: z.literal('github'),
    ...redirectSettings,
    /** Whose members may sign in; without any every GitHub account may. */
    organizations: z.array(z.string().regex(/^[A-Za-z0-9-]{1,39}$/)).default([]),
    /** Whether teams are read, as groups `organization/team-slug`. */
    groups: z.boolean().default(false),
    /** Of GitHub Enterprise Server: `https://github.example.com`. */
    base_url: ProviderUrl.default('https://github.com').transform(withoutSlash),
    /** Of GitHub Enterprise Server: `https://github.example.com/api/v3`. */
    api_url: ProviderUrl.default('https://api.github.com').transform(withoutSlash),
  })
  .refine(hasOneSecret, TWO_SECRETS)
  .refine(
    ({ client_secret, client_secret_path }) => (client_secret ?? client_secret_path) !== undefined,
    'GitHub needs client_secret or client_secret_path.',
  );
export type GitHubConnectorConfig = z.infer<typeof GitHubConnectorConfig>;

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

const lookUp = async ({ config, fetch }: Deps, accessToken: string): Promise<UpstreamSignIn> => {
  const api = createGitHubApi({
    connector: config.id,
    apiUrl: config.api_url,
    accessToken,
    fetch,
    signal: AbortSignal.timeout(SIGN_IN_MS),
  });
  const [user, addresses] = await Promise.all([api.readUser(), api.listAddresses()]);
  const identity = toGitHubIdentity(config.id, user, addresses);
  if (config.require_verified_email && !identity.emailVerified) {
    throw new UpstreamError(config.id, 'unverified_email');
  }
  await requireOrganization(config, api);
  return {
    identity,
    groups: config.groups ? await listGroups(config, api) : undefined,
    credential: { kind: 'access_token', value: accessToken },
  };
};

/** Who someone is at GitHub: their number, never their login; the e-mail address only when it is primary and verified. */
export const toGitHubIdentity = (
  connector: string,
  { id, login, name }: GitHubUser,
  addresses: readonly GitHubAddress[],
): UpstreamIdentity => {
  const primary = addresses.find((each) => each.primary === true && each.verified === true);
  const email = toEmail(primary?.email);
  return {
    connector,
    subject: String(id),
    displayName: toDisplayName([name, login]) ?? String(id),
    email,
    emailVerified: email !== undefined,
  };
};

const requireOrganization = async (
  { id, organizations }: GitHubConnectorConfig,
  api: GitHubApi,
): Promise<void> => {
  if (organizations.length === 0) return;
  const theirs = await api.listOrganizations();
  if (!theirs.some((login) => isOneOf(organizations, login))) {
    throw new UpstreamError(id, 'not_allowed');
  }
};

const listGroups = async (
  { organizations }: GitHubConnectorConfig,
  api: GitHubApi,
): Promise<readonly string[]> => {
  const teams = await api.listTeams();
  const counted = teams.filter(
    ({ organization }) => organizations.length === 0 || isOneOf(organizations, organization),
  );
  return withParents(counted, api.readTeam, MAX_PARENT_LOOKUPS);
};

/** GitHub doesn't tell logins apart by case. */
const isOneOf = (organizations: readonly string[], login: string): boolean =>
  organizations.some((each) => each.toLowerCase() === login.toLowerCase());
