/** What the stand-in for GitHub knows: users, organisations with teams, and what it has given out. */

/** An e-mail address as `GET /user/emails` lists it. */
export type GithubEmail = {
  readonly email: string;
  readonly primary: boolean;
  readonly verified: boolean;
};

/** A user; tests may change one at any time. */
export type GithubUser = {
  /** Stays when the login is renamed. */
  readonly id: number;
  login: string;
  name: string | null;
  emails: readonly GithubEmail[];
  /** Logins of organisations. */
  organizations: readonly string[];
  /** Numbers that differ from the usual: of organisations that have taken over another's login. */
  organizationIds?: Readonly<Record<string, number>>;
  /** Of those, the ones whose invitation the user hasn't taken up. */
  invitations?: readonly string[];
  /** `organisation/team-slug`, direct memberships only. */
  teams: readonly string[];
  suspended?: boolean;
};

/** A team; `parent` is the slug of another of the organisation. */
export type GithubTeam = {
  readonly organization: string;
  readonly slug: string;
  readonly parent?: string;
};

/** A code that waits to be redeemed. */
export type GithubCode = {
  readonly login: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly challenge: string | null;
};

/** An access token's owner, by id, and its scopes. */
export type GithubToken = { readonly userId: number; readonly scopes: readonly string[] };

/** Everything. */
export type GithubState = {
  url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbacks: Set<string>;
  readonly users: Map<string, GithubUser>;
  readonly teams: GithubTeam[];
  readonly codes: Map<string, GithubCode>;
  readonly tokens: Map<string, GithubToken>;
  readonly secrets: Set<string>;
  /** Paths of the API that were asked. */
  readonly requests: string[];
  /** Who is signed in at GitHub in every browser. */
  login: string;
  denies: boolean;
  rateLimited: boolean;
};
