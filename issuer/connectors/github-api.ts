/** GitHub's REST API, as much of it as a sign-in needs. */
import * as z from 'zod';
import { UpstreamError } from './connector.ts';
import type { ProviderFetch } from './provider-fetch.ts';
import type { Team } from './teams.ts';

const MAX_PAGES = 10;

const User = z.object({
  // The login can be changed and taken over by someone else; the number stays.
  id: z.int().positive(),
  login: z.string().min(1),
  name: z.string().nullish(),
});

const Addresses = z.array(
  z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
);

// As with people: the number stays when the login is another's.
const Organization = z.object({ id: z.int().positive(), login: z.string().min(1) });

const Organizations = z.array(Organization);

const TeamRow = z.object({
  slug: z.string().min(1),
  organization: Organization.nullish(),
  parent: z.object({ slug: z.string().min(1) }).nullish(),
});

/** An organization. */
export type GitHubOrganization = z.infer<typeof Organization>;
/** Who the token is of. */
export type GitHubUser = z.infer<typeof User>;
/** E-mail addresses as GitHub lists them. */
export type GitHubAddress = z.infer<typeof Addresses>[number];

/** The API, asked with one person's access token. Each call throws UpstreamError. */
export type GitHubApi = {
  readonly readUser: () => Promise<GitHubUser>;
  readonly listAddresses: () => Promise<readonly GitHubAddress[]>;
  /** Of which the person is a member. */
  readonly listOrganizations: () => Promise<readonly GitHubOrganization[]>;
  /** Teams of which the person is a direct member. */
  readonly listTeams: () => Promise<readonly Team[]>;
  readonly readTeam: (organization: string, slug: string) => Promise<Team>;
};

/** Whose API, and how to reach it. */
export type GitHubApiOptions = {
  readonly connector: string;
  /** Without a final slash. */
  readonly apiUrl: string;
  readonly accessToken: string;
  readonly fetch: ProviderFetch;
  /** Ends all requests of a sign-in together. */
  readonly signal: AbortSignal;
};

/** The API with one access token. */
export const createGitHubApi = (options: GitHubApiOptions): GitHubApi => {
  const readTeam = async (organization: string, slug: string): Promise<Team> => {
    const path = `/orgs/${encodeURIComponent(organization)}/teams/${encodeURIComponent(slug)}`;
    return toTeam(await get(options, path, TeamRow), organization);
  };
  return {
    readUser: () => get(options, '/user', User),
    listAddresses: () => list(options, '/user/emails', Addresses),
    listOrganizations: () => list(options, '/user/orgs', Organizations),
    listTeams: async () => {
      const rows = await list(options, '/user/teams', z.array(TeamRow));
      return rows.flatMap((row) =>
        row.organization
          ? [{ ...toTeam(row, row.organization.login), organizationId: row.organization.id }]
          : [],
      );
    },
    readTeam,
  };
};

const toTeam = ({ slug, parent }: z.infer<typeof TeamRow>, organization: string): Team => ({
  organization,
  slug,
  parent: parent?.slug,
});

const get = async <Shape extends z.ZodType>(
  options: GitHubApiOptions,
  path: string,
  shape: Shape,
): Promise<z.infer<Shape>> =>
  parseAnswer(options, await ask(options, `${options.apiUrl}${path}`), shape);

/** All pages of a list (RFC 8288). */
const list = async <Row>(
  options: GitHubApiOptions,
  path: string,
  shape: z.ZodType<readonly Row[]>,
): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  let url: string | undefined = `${options.apiUrl}${path}?per_page=100`;
  for (let page = 0; url !== undefined; page += 1) {
    if (page === MAX_PAGES) throw new UpstreamError(options.connector, 'invalid');
    const answer = await ask(options, url);
    rows.push(...(await parseAnswer(options, answer, shape)));
    url = nextPage(options, answer.headers.get('link'));
  }
  return rows;
};

/** The next page, only at the API itself: the access token goes along. */
const nextPage = (
  { apiUrl, connector }: GitHubApiOptions,
  link: string | null,
): string | undefined => {
  const target = /<([^<>]+)>\s*;[^<]*rel="next"/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  if (URL.canParse(target) && new URL(target).origin === new URL(apiUrl).origin) return target;
  throw new UpstreamError(connector, 'invalid');
};

const ask = async (options: GitHubApiOptions, url: string): Promise<Response> => {
  const answer = await options.fetch(url, {
    signal: options.signal,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${options.accessToken}`,
      'x-github-api-version': '2022-11-28',
      'user-agent': 'Hexabase-KaaS',
    },
  });
  if (answer.status === 200) return answer;
  const isGone = answer.status === 401 || (answer.status === 403 && (await isSuspended(answer)));
  throw new UpstreamError(options.connector, isGone ? 'gone' : 'unavailable');
};

/** 403 is for rate limits and policies too; only suspension is a definite no. */
const isSuspended = async (answer: Response): Promise<boolean> =>
  /account (was|has been|is) suspended/i.test(await answer.text());

/** Reads a JSON answer of a known shape. @throws UpstreamError `invalid` for another */
export const parseAnswer = async <Shape extends z.ZodType>(
  { connector }: { readonly connector: string },
  answer: Response,
  shape: Shape,
): Promise<z.infer<Shape>> => {
  const body = await answer.json().catch(() => undefined);
  const parsed = shape.safeParse(body);
  if (!parsed.success) throw new UpstreamError(connector, 'invalid');
  return parsed.data;
};
