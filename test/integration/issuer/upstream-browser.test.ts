import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../support/chromium.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type GithubServer, startGithubServer } from '../../support/github/server.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { createOidcClient, prepareRequest, redeem } from '../../support/oidc-client.ts';
import {
  ANY_CLIENT,
  githubConnector,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';
import { listenOnLoopback, openWindow } from '../../support/window.ts';

let browser: Browser;
let database: TestDatabase;
let github: GithubServer;
let provider: HostileProvider;
let issuer: UpstreamIssuer;

beforeAll(async () => {
  browser = await launchChromium();
  database = await createTestDatabase();
  github = await startGithubServer();
  github.addUser({
    id: 583_231,
    login: 'octocat',
    name: 'The Octocat',
    emails: [{ email: 'octocat@example.test', primary: true, verified: true }],
    organizations: [],
    teams: [],
  });
  github.signInAs('octocat');
  provider = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, {
    github: githubConnector(github, { name: 'GitHub' }),
    acme: oidcConnector(provider, { name: 'Acme' }),
  });
}, 400_000);
afterAll(async () => {
  await browser?.close();
  for (const each of [issuer, github, provider, database]) await each?.[Symbol.asyncDispose]();
});

const WITHOUT_SCRIPTS = { javaScriptEnabled: false };

describe('Chromium without JavaScript', () => {
  it.each([
    ['GitHub', 'The Octocat'],
    ['Acme', 'Alice'],
  ])('goes over to %s by the keyboard and comes back signed in', async (name, person) => {
    await using client = await createOidcClient({ ...issuer, clientId: ANY_CLIENT });
    await using program = await listenOnLoopback();
    await using window = await openWindow(browser, WITHOUT_SCRIPTS);
    const { page, complaints } = window;
    const request = await prepareRequest(client, { redirect_uri: program.redirectUri });
    await page.goto(request.url.href);
    await page.getByRole('link', { name: `Continue with ${name}` }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(person).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    const { claims } = await redeem(client, request, await program.answer);
    expect(claims['name']).toBe(person);
    expect(complaints).toEqual([]);
  });

  it('shows why a sign-in came to nothing, and lets the person try again', async () => {
    await using client = await createOidcClient({ ...issuer, clientId: ANY_CLIENT });
    await using program = await listenOnLoopback();
    await using window = await openWindow(browser, WITHOUT_SCRIPTS);
    const { page } = window;
    const request = await prepareRequest(client, { redirect_uri: program.redirectUri });
    await page.goto(request.url.href);
    github.deny(true);
    await page.getByRole('link', { name: 'Continue with GitHub' }).click();
    await page.getByRole('heading', { name: 'You were not signed in there' }).waitFor();
    github.deny(false);
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'Continue with GitHub' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    expect((await redeem(client, request, await program.answer)).claims['name']).toBe(
      'The Octocat',
    );
  });
});
