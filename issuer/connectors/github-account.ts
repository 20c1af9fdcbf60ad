/** What GitHub's API says of someone, and whether the connector takes them. */
import { toDisplayName, toEmail } from './claims.ts';
import { UpstreamError, type UpstreamIdentity, type UpstreamSignIn } from './connector.ts';
import {
  createGitHubApi,
  type GitHubAddress,
  type GitHubApi,
  type GitHubUser,
} from './github-api.ts';
import type { GitHubConnectorConfig } from './github-config.ts';
import type { ProviderFetch } from './provider-fetch.ts';
import { withParents } from './teams.ts';

const SIGN_IN_MS = 20_000;
const MAX_PARENT_LOOKUPS = 100;

/** What {@link lookUp} needs. */
export type GitHubLookUp = {
  readonly config: GitHubConnectorConfig;
  readonly fetch: ProviderFetch;
};

/**
 * Who an access token is of, and which teams they are in.
 *
 * @throws UpstreamError when the connector's rules don't take the account
 */
export const lookUp = async (
  { config, fetch }: GitHubLookUp,
  accessToken: string,
): Promise<UpstreamSignIn> => {
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
  if (!theirs.some((each) => isOneOf(organizations, each))) {
    throw new UpstreamError(id, 'not_allowed');
  }
};

const listGroups = async (
  { organizations }: GitHubConnectorConfig,
  api: GitHubApi,
): Promise<readonly string[]> => {
  const teams = await api.listTeams();
  const counted = teams.filter(
    ({ organization: login, organizationId: id }) =>
      organizations.length === 0 || isOneOf(organizations, { id, login }),
  );
  return withParents(counted, api.readTeam, MAX_PARENT_LOOKUPS);
};

/** By number, or by login, which GitHub doesn't tell apart by case. */
const isOneOf = (
  organizations: GitHubConnectorConfig['organizations'],
  { id, login }: { readonly id: number | undefined; readonly login: string },
): boolean =>
  organizations.some((each) =>
    typeof each === 'number' ? each === id : each.toLowerCase() === login.toLowerCase(),
  );
