import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type GithubServer, startGithubServer } from '../../support/github/server.ts';
import type { GithubUser } from '../../support/github/state.ts';
import { letLooksFallDue, mapUpstreamGroup } from '../../support/group-mappings.ts';
import { refresh, SignInRefusedError } from '../../support/oidc-client.ts';
import { expectNoneLogged } from '../../support/refusals.ts';
import {
  githubConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let github: GithubServer;
let issuer: UpstreamIssuer;
let workspace: TestWorkspace;
let user: GithubUser;
let nextId = 1;

beforeAll(async () => {
  database = await createTestDatabase();
  github = await startGithubServer();
  github.addTeams(
    { organization: 'acme', slug: 'engineering' },
    { organization: 'acme', slug: 'platform', parent: 'engineering' },
    { organization: 'acme', slug: 'database', parent: 'platform' },
    { organization: 'evil', slug: 'engineering' },
    ...Array.from({ length: 150 }, (_, index) => ({ organization: 'acme', slug: `t${index}` })),
  );
  issuer = await startUpstreamIssuer(database, {
    github: githubConnector(github, { organizations: ['acme'], groups: true }),
  });
  workspace = await createWorkspace(database);
  for (const team of ['engineering', 'platform', 't149']) {
    await mapUpstreamGroup(database, {
      workspaceId: workspace.id,
      groupId: await workspace.addGroup(team),
      connector: 'github',
      upstreamGroup: `acme/${team}`,
    });
  }
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
    emails: [{ email: 'octocat@example.test', primary: true, verified: true }],
    organizations: ['acme', 'evil'],
    teams: ['acme/database'],
  });
  github.signInAs(user.login);
  github.limitRate(false);
});

const signIn = () => issuer.signIn('github', { clientId: workspace.clientId });

const refreshed = async (refreshToken: string) => {
  await letLooksFallDue(database);
  return refresh({ ...issuer, clientId: workspace.clientId, refreshToken });
};

const GONE = { error: 'invalid_grant' };

describe('teams of GitHub', () => {
  it('count with all their parents, the grandparents too', async () => {
    expect((await signIn()).claims['groups']).toEqual(['engineering', 'platform']);
  });

  it('of another organisation don’t count, whatever they are called', async () => {
    user.teams = ['evil/engineering'];
    const error: unknown = await signIn().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignInRefusedError);
    expect((error as SignInRefusedError).page.text).toContain('You are not a member');
  });

  it('are read to the last page', async () => {
    user.teams = Array.from({ length: 150 }, (_, index) => `acme/t${index}`);
    expect((await signIn()).claims['groups']).toEqual(['t149']);
  });

  it('are asked about again at a refresh: who has left one has its right no more', async () => {
    const first = await signIn();
    user.teams = ['acme/engineering'];
    const second = await refreshed(first.refresh_token);
    expect(second.claims['groups']).toEqual(['engineering']);
    user.teams = [];
    await expect(refreshed(second.refresh_token)).rejects.toMatchObject(GONE);
  });

  it('stay as they were while GitHub has had too many requests, or fails', async () => {
    const first = await signIn();
    user.teams = [];
    github.limitRate(true);
    const second = await refreshed(first.refresh_token);
    expect(second.claims['groups']).toEqual(['engineering', 'platform']);
    github.limitRate(false);
    github.misanswer('/api/v3/user/teams', 'status 500');
    const third = await refreshed(second.refresh_token);
    expect(third.claims['groups']).toEqual(['engineering', 'platform']);
    github.misanswer('/api/v3/user/teams', undefined);
    await expect(refreshed(third.refresh_token)).rejects.toMatchObject(GONE);
  });

  it.each([
    [
      'has left the organisation',
      () => {
        user.organizations = [];
      },
    ],
    ['has withdrawn their consent', () => github.revokeTokens()],
    ['is deleted', () => github.deleteUser(user.login)],
    [
      'is suspended',
      () => {
        user.suspended = true;
      },
    ],
    [
      'has no verified e-mail address any more',
      () => {
        user.emails = [];
      },
    ],
  ])('end, and the sign-in with them, for whoever %s', async (_what, happen) => {
    const first = await signIn();
    happen();
    await expect(refreshed(first.refresh_token)).rejects.toMatchObject(GONE);
  });
});
