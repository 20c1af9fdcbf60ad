import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../support/chromium.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  createOidcClient,
  prepareRequest,
  redeem,
  redeemDevice,
  startDevice,
} from '../../support/oidc-client.ts';
import { listenOnLoopback, openWindow } from '../../support/window.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let browser: Browser;
let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let screenshots: string;

beforeAll(async () => {
  screenshots = process.env['SCREENSHOT_DIRECTORY'] ?? (await mkdtemp(join(tmpdir(), 'pages-')));
  browser = await launchChromium();
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [
    { username: 'alice', name: 'Alice Example', email: 'alice@example.test' },
    { username: 'bob', name: 'Bob Example' },
  ]);
  workspace = await createWorkspace(database, 'Payments production');
  const team = await workspace.addGroup('team');
  await workspace.addMember(await createPerson(database, 'alice'), team);
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await issuer?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  if (!process.env['SCREENSHOT_DIRECTORY']) await rm(screenshots, { recursive: true, force: true });
});

const client = () => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
});

const shoot = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
};

const signIn = async (page: Page, username: string): Promise<void> => {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(TEST_PASSWORD);
  await page.keyboard.press('Enter');
};

describe('Chromium', () => {
  it.each([
    ['desktop', { viewport: { width: 1200, height: 800 } }],
    ['phone', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' as const }],
  ])('signs in by code, with the keyboard alone, on a %s', async (name, options) => {
    await using oidc = await createOidcClient(client());
    await using program = await listenOnLoopback();
    const { context, page, complaints } = await openWindow(browser, options);
    const request = await prepareRequest(oidc, { redirect_uri: program.redirectUri });
    await page.goto(request.url.href);
    await shoot(page, `sign-in-${name}`);
    expect(await page.evaluate('document.activeElement.name')).toBe('username');
    await signIn(page, 'alice');
    await page.getByRole('heading', { name: 'Sign in to Payments production?' }).waitFor();
    await shoot(page, `confirm-${name}`);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const tokens = await redeem(oidc, request, await program.answer);
    expect(tokens.claims['groups']).toEqual(['team']);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('approves a device, from the address that carries the code', async () => {
    await using oidc = await createOidcClient(client());
    const { context, page, complaints } = await openWindow(browser, {
      viewport: { width: 360, height: 740 },
    });
    const device = await startDevice(oidc);
    await page.goto(`${issuer.issuerUrl}/device`);
    await shoot(page, 'device-entry');
    await page.goto(device.verification_uri_complete ?? '');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText(device.user_code).waitFor();
    await shoot(page, 'device-check');
    await page.getByRole('button', { name: 'It matches' }).click();
    await signIn(page, 'alice');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await shoot(page, 'device-done');
    expect((await redeemDevice(oidc, device)).claims['groups']).toEqual(['team']);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('shows a non-member why not, and lets a member take over', async () => {
    await using oidc = await createOidcClient(client());
    await using program = await listenOnLoopback();
    const { context, page } = await openWindow(browser, { viewport: { width: 1200, height: 800 } });
    const request = await prepareRequest(oidc, { redirect_uri: program.redirectUri });
    await page.goto(request.url.href);
    await page.getByLabel('Username').fill('bob');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await shoot(page, 'wrong-password');
    await signIn(page, 'bob');
    await page.getByRole('heading', { name: 'You are not a member of this workspace' }).waitFor();
    await shoot(page, 'not-a-member');
    await page.getByRole('link', { name: 'Sign in as someone else' }).click();
    await signIn(page, 'alice');
    await page.getByRole('button', { name: 'Allow' }).click();
    expect((await redeem(oidc, request, await program.answer)).claims['name']).toBe(
      'Alice Example',
    );
    await context.close();
  });

  it('shows errors and the end of a session', async () => {
    const { context, page } = await openWindow(browser, { viewport: { width: 1200, height: 800 } });
    await page.goto(`${issuer.issuerUrl}/auth?client_id=unknown`);
    await shoot(page, 'error');
    await page.goto(`${issuer.issuerUrl}/session/end/success`);
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await context.close();
  });
});
