/**
 * The part of GitHub's REST API that says who someone is (https://docs.github.com/en/rest, version
 * 2022-11-28): the user, their e-mail addresses, organisations and teams.
 */
import type { IncomingMessage } from 'node:http';
import type { GithubState, GithubTeam, GithubUser } from './state.ts';

/** An answer of the API. */
export type GithubAnswer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Below this path, as on GitHub Enterprise Server. */
export const API_PATH = '/api/v3';

const DEFAULT_PAGE = 30;
const LARGEST_PAGE = 100;

/** Answers `GET` requests; `url` is the whole address. */
export const answerApi = (state: GithubState, request: IncomingMessage, url: URL): GithubAnswer => {
  const path = url.pathname.slice(API_PATH.length);
  state.requests.push(path);
  if (!request.headers['user-agent'])
    return refuse(403, 'Request forbidden: no User-Agent header.');
  const token = /^(?:Bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const known = state.tokens.get(token ?? '');
  const user = [...state.users.values()].find(({ id }) => id === known?.userId);
  if (!known || !user) return refuse(401, 'Bad credentials');
  if (user.suspended) return refuse(403, 'Sorry. Your account was suspended.');
  if (state.rateLimited) return rateLimit(user);
  return answer({ state, url, user, scopes: known.scopes }, path);
};

const refuse = (status: number, message: string): GithubAnswer => ({
  status,
  body: { message, documentation_url: 'https://docs.github.com/rest', status: `${status}` },
});

const rateLimit = (user: GithubUser): GithubAnswer => ({
  ...refuse(403, `API rate limit exceeded for user ID ${user.id}.`),
  headers: {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': `${Math.floor(Date.now() / 1000) + 600}`,
  },
});

type Asked = {
  readonly state: GithubState;
  readonly url: URL;
  readonly user: GithubUser;
  readonly scopes: readonly string[];
};

const answer = (asked: Asked, path: string): GithubAnswer => {
  const { user, scopes, state } = asked;
  const readsOrganizations = scopes.includes('read:org');
  if (path === '/user') return { status: 200, body: describeUser(user) };
  if (path === '/user/emails' && scopes.includes('user:email')) return page(asked, user.emails);
  if (path === '/user/orgs' && readsOrganizations) {
    return page(asked, describeOrganizations(user));
  }
  if (path === '/user/teams' && readsOrganizations) {
    const teams = state.teams.filter((team) => user.teams.includes(toName(team)));
    return page(
      asked,
      teams.map((team) => describeTeam(state, team, user)),
    );
  }
  const [, organization, slug] = /^\/orgs\/([^/]+)\/teams\/([^/]+)$/.exec(path) ?? [];
  const team = state.teams.find((each) => toName(each) === `${organization}/${slug}`);
  return team && readsOrganizations && user.organizations.includes(team.organization)
    ? { status: 200, body: describeTeam(state, team, user) }
    : refuse(404, 'Not Found');
};

// The published address, which is null unless the user wants it public, says nothing about verification.
const describeUser = ({ id, login, name }: GithubUser) => ({
  id,
  login,
  name,
  type: 'User',
  email: 'published@example.test',
});

/** Whoever has only been invited is no member yet. */
const describeOrganizations = ({ organizations, organizationIds, invitations = [] }: GithubUser) =>
  organizations
    .filter((login) => !invitations.includes(login))
    .map((login) => ({ login, id: organizationIds?.[login] ?? toId(login) }));

/** With the direct parent only, as GitHub does: a grandparent is to be asked for. */
const describeTeam = (state: GithubState, team: GithubTeam, { organizationIds }: GithubUser) => {
  const parent = state.teams.find(
    ({ organization, slug }) => organization === team.organization && slug === team.parent,
  );
  const { organization } = team;
  return {
    ...toSimpleTeam(team),
    parent: parent ? toSimpleTeam(parent) : null,
    organization: {
      login: organization,
      id: organizationIds?.[organization] ?? toId(organization),
    },
  };
};

const toSimpleTeam = (team: GithubTeam) => ({
  id: toId(toName(team)),
  slug: team.slug,
  name: team.slug,
  permission: 'pull',
  privacy: 'closed',
});

const toName = ({ organization, slug }: GithubTeam): string => `${organization}/${slug}`;

/** The number of an organization or team. */
export const toId = (name: string): number =>
  [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 7);

/** One page of a list, with Link (RFC 8288) to the next and the last. */
const page = ({ url }: Asked, items: readonly unknown[]): GithubAnswer => {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? DEFAULT_PAGE), LARGEST_PAGE);
  const number = Number(url.searchParams.get('page') ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string) => {
    const target = new URL(url);
    target.searchParams.set('page', `${to}`);
    return `<${target.href}>; rel="${rel}"`;
  };
  return {
    status: 200,
    body: items.slice((number - 1) * size, number * size),
    ...(number < last && {
      headers: { link: `${link(number + 1, 'next')}, ${link(last, 'last')}` },
    }),
  };
};
