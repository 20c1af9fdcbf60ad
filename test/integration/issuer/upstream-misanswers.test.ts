import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type GithubServer, startGithubServer } from '../../support/github/server.ts';
import { MISANSWERS, type Misanswer } from '../../support/hostile-answers.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { SignInRefusedError } from '../../support/oidc-client.ts';
import { expectNoneLogged, expectRefusal } from '../../support/refusals.ts';
import {
  githubConnector,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamConnector,
  type UpstreamIssuer,
} from '../../support/upstream.ts';

/** A bound of ours, not of the provider: a slow one costs a request no more than this. */
const PATIENCE_MS = 25_000;
/** Each has a provider of its own: all of them may be slow at the same time. */
const OIDC_ENDPOINTS = ['discovery', 'jwks', 'token', 'userinfo'] as const;
const GITHUB_PATHS = [
  '/login/oauth/access_token',
  '/api/v3/user',
  '/api/v3/user/emails',
  '/api/v3/user/teams',
] as const;

type World = HostileProvider | GithubServer;

let database: TestDatabase;
let issuer: UpstreamIssuer;
let proper: HostileProvider;
const worlds = new Map<string, World>();

beforeAll(async () => {
  database = await createTestDatabase();
  const connectors: Record<string, UpstreamConnector> = {};
  proper = await startHostileProvider();
  connectors['proper'] = oidcConnector(proper);
  for (const endpoint of OIDC_ENDPOINTS) {
    const provider = await startHostileProvider();
    worlds.set(endpoint, provider);
    connectors[endpoint] = oidcConnector(provider);
  }
  for (const [index] of GITHUB_PATHS.entries()) {
    const github = await startGithubServer();
    addUser(github);
    worlds.set(`github-${index}`, github);
    connectors[`github-${index}`] = githubConnector(github, { groups: true });
  }
  issuer = await startUpstreamIssuer(database, connectors);
});
afterAll(async () => {
  const secrets = [...worlds.values()].flatMap((world) => [...world.secrets]);
  expectNoneLogged(issuer.logLines, secrets);
  for (const each of [issuer, proper, ...worlds.values(), database]) {
    await each?.[Symbol.asyncDispose]();
  }
});

const addUser = (github: GithubServer): void => {
  github.addUser({
    id: 1,
    login: 'alice',
    name: 'Alice',
    emails: [{ email: 'alice@example.test', primary: true, verified: true }],
    organizations: ['acme'],
    teams: ['acme/team'],
  });
  github.addTeams({ organization: 'acme', slug: 'team' });
  github.signInAs('alice');
};

/** Userinfo is asked only for what the ID token doesn't say. */
const PERSON = { sub: 'alice', email: 'alice@example.test', email_verified: true };

const attempt = async (connector: string): Promise<void> => {
  const started = Date.now();
  const error: unknown = await issuer.signIn(connector).catch((reason: unknown) => reason);
  expect(Date.now() - started).toBeLessThan(PATIENCE_MS);
  expect(error).toBeInstanceOf(SignInRefusedError);
  const { page } = error as SignInRefusedError;
  expect([400, 502]).toContain(page.status);
  expectRefusal(
    page,
    page.status,
    page.status === 400 ? 'upstream_invalid' : 'upstream_unavailable',
  );
};

const isSlow = (how: Misanswer): boolean => how === 'hang' || how === 'drip';

describe.each(OIDC_ENDPOINTS)('the %s endpoint of an OpenID provider', (endpoint) => {
  const misbehave = async (how: Misanswer): Promise<void> => {
    const provider = worlds.get(endpoint) as HostileProvider;
    provider.setPerson(PERSON);
    provider.behave({ misanswers: { [endpoint]: how } });
    await attempt(endpoint);
    provider.behave({});
  };

  it.each(MISANSWERS.filter((how) => !isSlow(how)))('that answers with %s is refused', misbehave);
});

describe.each(GITHUB_PATHS.map((path, index) => [path, index] as const))(
  'GitHub’s %s',
  (path, index) => {
    it.each(MISANSWERS.filter((how) => !isSlow(how)))(
      'that answers with %s is refused',
      async (how) => {
        const github = worlds.get(`github-${index}`) as GithubServer;
        github.misanswer(path, how);
        await attempt(`github-${index}`);
        github.misanswer(path, undefined);
      },
    );
  },
);

describe.each(['hang', 'drip'] as const)('providers that %s', (how) => {
  it('are given up, all at the same time, while others sign people in', async () => {
    for (const endpoint of OIDC_ENDPOINTS) {
      (worlds.get(endpoint) as HostileProvider).behave({ misanswers: { [endpoint]: how } });
    }
    for (const [index, path] of GITHUB_PATHS.entries()) {
      (worlds.get(`github-${index}`) as GithubServer).misanswer(path, how);
    }
    const attempts = Promise.all([...worlds.keys()].map(attempt));
    for (let round = 0; round < 3; round += 1) {
      const started = Date.now();
      expect((await issuer.signIn('proper')).claims['sub']).toBeTypeOf('string');
      expect(Date.now() - started).toBeLessThan(4_000);
    }
    await attempts;
  });
});

describe('a provider that is well again', () => {
  it('signs people in at once', async () => {
    for (const endpoint of OIDC_ENDPOINTS) {
      const provider = worlds.get(endpoint) as HostileProvider;
      provider.behave({});
      provider.setPerson({ ...PERSON, sub: `after ${endpoint}` });
      expect((await issuer.signIn(endpoint)).claims['email']).toBe(PERSON.email);
    }
    for (const [index, path] of GITHUB_PATHS.entries()) {
      (worlds.get(`github-${index}`) as GithubServer).misanswer(path, undefined);
      expect((await issuer.signIn(`github-${index}`)).claims['name']).toBe('Alice');
    }
  });
});

describe('a discovery document', () => {
  it.each([
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['without an issuer', { issuer: undefined }],
    ['with its pages on plain http', { authorization_endpoint: 'http://evil.example/authorize' }],
    ['with tokens on plain http', { token_endpoint: 'http://127.0.0.1:1/token' }],
    ['with pages that are a script', { authorization_endpoint: 'javascript:alert(1)' }],
    ['without a page of authorization', { authorization_endpoint: undefined }],
    ['without an endpoint for tokens', { token_endpoint: undefined }],
    ['with keys on plain http', { jwks_uri: 'http://127.0.0.1:1/jwks' }],
  ])('%s is refused', async (_what, changed) => {
    await using provider = await startHostileProvider();
    provider.behave({ discovery: (document) => ({ ...document, ...changed }) });
    await using own = await createTestDatabase();
    await using one = await startUpstreamIssuer(own, { acme: oidcConnector(provider) });
    const error: unknown = await one.signIn('acme').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignInRefusedError);
    const { page } = error as SignInRefusedError;
    expect(page.left).toBe(false);
    expectRefusal(
      page,
      page.status,
      page.status === 400 ? 'upstream_invalid' : 'upstream_unavailable',
    );
    expectNoneLogged(one.logLines, provider.secrets);
  });

  it('that can’t be had at all, because nobody listens, is refused until someone does', async () => {
    const provider = await startHostileProvider();
    await using own = await createTestDatabase();
    await using one = await startUpstreamIssuer(own, { acme: oidcConnector(provider) });
    await provider[Symbol.asyncDispose]();
    const error: unknown = await one.signIn('acme').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignInRefusedError);
    expectRefusal((error as SignInRefusedError).page, 502, 'upstream_unavailable');
  });
});
