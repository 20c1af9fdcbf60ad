import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type GithubServer, startGithubServer } from '../../support/github/server.ts';
import type { GithubUser } from '../../support/github/state.ts';
import { SignInRefusedError } from '../../support/oidc-client.ts';
import { expectNoneLogged, expectRefusal } from '../../support/refusals.ts';
import {
  answerOf,
  githubConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';

let database: TestDatabase;
let github: GithubServer;
let issuer: UpstreamIssuer;
let user: GithubUser;
let nextId = 1_000;

beforeAll(async () => {
  database = await createTestDatabase();
  github = await startGithubServer();
  github.addTeams(
    { organization: 'acme', slug: 'engineering' },
    { organization: 'acme', slug: 'platform', parent: 'engineering' },
    { organization: 'acme', slug: 'database', parent: 'platform' },
  );
  issuer = await startUpstreamIssuer(database, {
    github: githubConnector(github),
    acme: githubConnector(github, { organizations: ['Acme'], groups: true }),
  });
});
afterAll(async () => {
  expectNoneLogged(issuer.logLines, github.secrets);
  for (const each of [issuer, github, database]) await each?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  nextId += 1;
  user = github.addUser({
    id: nextId,
    login: `octocat-${nextId}`,
    name: 'The Octocat',
    emails: [
      { email: 'old@example.test', primary: false, verified: true },
      { email: `octocat-${nextId}@example.test`, primary: true, verified: true },
    ],
    organizations: ['acme'],
    teams: ['acme/database'],
  });
  github.signInAs(user.login);
  github.deny(false);
  github.limitRate(false);
});

const refusal = async (connector: string) => {
  const error: unknown = await issuer.signIn(connector).catch((reason: unknown) => reason);
  if (!(error instanceof SignInRefusedError)) throw new Error('not refused', { cause: error });
  return error.page;
};

const subjects = (): Promise<{ subject: string; connector: string }[]> =>
  database.query('SELECT subject, connector FROM identity');

describe('GitHub', () => {
  it('says who someone is by a number that stays when the login changes hands', async () => {
    const first = await issuer.signIn('github');
    expect(first.claims).toMatchObject({
      name: 'The Octocat',
      email: `octocat-${user.id}@example.test`,
      email_verified: true,
    });
    expect(await subjects()).toContainEqual({ subject: `${user.id}`, connector: 'github' });

    github.deleteUser(user.login);
    github.addUser({ ...user, login: 'renamed' });
    github.signInAs('renamed');
    expect((await issuer.signIn('github')).claims['sub']).toBe(first.claims['sub']);

    nextId += 1;
    github.addUser({ ...user, id: nextId });
    github.signInAs(user.login);
    expect((await issuer.signIn('github')).claims['sub']).not.toBe(first.claims['sub']);
  });

  it('names whoever has no name by the login', async () => {
    user.name = null;
    expect((await issuer.signIn('github')).claims['name']).toBe(user.login);
  });

  it('asks only for what is needed, with PKCE', async () => {
    const { url } = await issuer.depart('github');
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    expect(url.searchParams.get('scope')?.split(' ')).not.toContain('read:org');
    const withTeams = await issuer.depart('acme');
    expect(withTeams.url.searchParams.get('scope')?.split(' ')).toContain('read:org');
  });

  it.each([
    ['not verified', [{ email: 'a@example.test', primary: true, verified: false }]],
    [
      'verified, but not the primary one',
      [
        { email: 'a@example.test', primary: false, verified: true },
        { email: 'b@example.test', primary: true, verified: false },
      ],
    ],
    ['missing', []],
  ])('refuses an e-mail address that is %s', async (_what, emails) => {
    user.emails = emails;
    expectRefusal(await refusal('github'), 403, 'upstream_unverified_email');
    expect(await subjects()).not.toContainEqual(expect.objectContaining({ subject: `${user.id}` }));
  });

  it('takes the address that only the second page of addresses has', async () => {
    const others = Array.from({ length: 120 }, (_, index) => ({
      email: `alias-${index}@example.test`,
      primary: false,
      verified: true,
    }));
    user.emails = [...others, ...user.emails];
    expect((await issuer.signIn('github')).claims['email']).toBe(`octocat-${user.id}@example.test`);
  });

  it('lets only members of the organisations in', async () => {
    await issuer.signIn('acme');
    user.invitations = ['acme'];
    expectRefusal(await refusal('acme'), 403, 'upstream_not_allowed');
    user.organizations = ['acme-evil', 'evil'];
    expectRefusal(await refusal('acme'), 403, 'upstream_not_allowed');
    user.organizations = [];
    expectRefusal(await refusal('acme'), 403, 'upstream_not_allowed');
  });

  it('refuses whoever says no there', async () => {
    github.deny(true);
    const page = await refusal('github');
    expectRefusal(page, 403, 'upstream_denied');
    expect(page.text).not.toContain('denied your application');
  });

  it('takes a code once, refuses a made up one and one with another verifier', async () => {
    const [mine, theirs] = [await issuer.depart('github'), await issuer.depart('github')];
    const answer = await answerOf(github, mine.url);
    const stolen = await answerOf(github, theirs.url);
    stolen.searchParams.set('state', mine.url.searchParams.get('state') ?? '');
    expectRefusal(await mine.visitor.open(stolen.href), 400, 'upstream_invalid');
    expectRefusal(await mine.visitor.open(answer.href), 400, 'upstream_invalid');
    const third = await issuer.depart('github');
    const invented = await answerOf(github, third.url);
    invented.searchParams.set('code', '0123456789abcdef');
    expectRefusal(await third.visitor.open(invented.href), 400, 'upstream_invalid');
  });

  it('is refused at the callback of another connector, although both are GitHub (mix-up)', async () => {
    const { visitor, url } = await issuer.depart('github');
    const answer = await answerOf(github, url);
    const swapped = answer.href.replace('/connectors/github/', '/connectors/acme/');
    expectRefusal(await visitor.open(swapped), 400, 'upstream_invalid');
  });

  it('that has had too many requests, or has suspended the account, is said not to answer', async () => {
    github.limitRate(true);
    expectRefusal(await refusal('github'), 502, 'upstream_unavailable');
    github.limitRate(false);
    user.suspended = true;
    const page = await refusal('github');
    expect([403, 502]).toContain(page.status);
  });

  it('that has deleted the account lets nobody in', async () => {
    await issuer.signIn('github');
    const departure = await issuer.depart('github');
    const answer = await answerOf(github, departure.url);
    github.deleteUser(user.login);
    expectRefusal(await departure.visitor.open(answer.href), 400, 'upstream_invalid');
    expectRefusal(await refusal('github'), 403, 'upstream_denied');
  });
});
