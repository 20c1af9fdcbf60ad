import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toId } from '../../support/github/api.ts';
import { type GithubServer, startGithubServer } from '../../support/github/server.ts';
import {
  CALLBACK,
  type ConnectorBench,
  createConnectorBench,
  credentialOf,
} from '../../support/redirect-connectors.ts';

let github: GithubServer;
let bench: ConnectorBench;

beforeAll(async () => {
  github = await startGithubServer();
  github.registerCallback(CALLBACK);
  bench = await createConnectorBench(github.ca);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

const gitHub = (more: object = {}) =>
  bench.connect({
    type: 'github',
    client_id: github.clientId,
    client_secret: github.clientSecret,
    base_url: github.url,
    api_url: github.apiUrl,
    ...more,
  });
const failure = (reason: string) => expect.objectContaining({ failure: reason, connector: 'it' });

const USER = {
  id: 7,
  login: 'ann',
  name: null,
  emails: [{ email: 'ann@corp.test', primary: true, verified: true }],
  organizations: ['Acme', 'Other'],
  teams: [] as string[],
};

describe('GitHub that is asked again', () => {
  beforeEach(() => {
    github.addUser({ ...USER, teams: ['Acme/on-call', 'Other/everyone'] });
    github.signInAs('ann');
    github.limitRate(false);
  });
  beforeAll(() =>
    github.addTeams(
      { organization: 'Acme', slug: 'engineering' },
      { organization: 'Acme', slug: 'platform', parent: 'engineering' },
      { organization: 'Acme', slug: 'on-call', parent: 'platform' },
      { organization: 'Other', slug: 'everyone' },
    ),
  );

  it('names teams with all their parents, of the organizations that count', async () => {
    expect((await bench.signIn(await gitHub({ groups: true }))).groups).toEqual([
      'Acme/engineering',
      'Acme/on-call',
      'Acme/platform',
      'Other/everyone',
    ]);
    const connector = await gitHub({ groups: true, organizations: ['acme'] });
    const first = await bench.signIn(connector);
    expect(first.groups).toEqual(['Acme/engineering', 'Acme/on-call', 'Acme/platform']);
    const user = github.addUser({ ...USER, teams: ['Acme/engineering'] });
    expect((await connector.refresh(credentialOf(first))).groups).toEqual(['Acme/engineering']);
    user.organizations = ['Other'];
    await expect(connector.refresh(credentialOf(first))).rejects.toThrow(failure('gone'));
  });

  it('knows an organization by its number, when another has taken over its login', async () => {
    const connector = await gitHub({ groups: true, organizations: [toId('Acme')] });
    const first = await bench.signIn(connector);
    expect(first.groups).toEqual(['Acme/engineering', 'Acme/on-call', 'Acme/platform']);
    const organizationIds = { Acme: toId('Acme') + 1 };
    github.addUser({ ...USER, teams: ['Acme/on-call'], organizationIds });
    await expect(connector.refresh(credentialOf(first))).rejects.toThrow(failure('gone'));
    const both = await gitHub({ groups: true, organizations: [toId('Acme'), 'Other'] });
    expect((await both.refresh(credentialOf(first))).groups).toEqual([]);
  });

  it('has a definite no for who is suspended or has withdrawn consent, and no other', async () => {
    const connector = await gitHub();
    const credential = credentialOf(await bench.signIn(connector));
    expect((await connector.refresh(credential)).credential).toEqual(credential);
    github.limitRate(true);
    await expect(connector.refresh(credential)).rejects.toThrow(failure('unavailable'));
    github.limitRate(false);
    github.addUser({ ...USER, suspended: true });
    await expect(connector.refresh(credential)).rejects.toThrow(failure('gone'));
    github.addUser(USER);
    github.revokeTokens();
    await expect(connector.refresh(credential)).rejects.toThrow(failure('gone'));
  });
});
