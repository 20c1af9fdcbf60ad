/** The pages' languages and their switch, in a browser without JavaScript. */
import type { Browser, Page } from 'playwright-core';
import { Agent, fetch } from 'undici';
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

beforeAll(async () => {
  browser = await launchChromium();
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice', name: 'Alice' }]);
  workspace = await createWorkspace(database, '決済');
  const team = await workspace.addGroup('team');
  await workspace.addMember(await createPerson(database, 'alice'), team);
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await issuer?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const client = () => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
});

const withoutScripts = (locale: string) =>
  openWindow(browser, { locale, javaScriptEnabled: false });

const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent();

const signInInJapanese = async (page: Page, password = TEST_PASSWORD): Promise<void> => {
  await page.getByLabel('ユーザー名').fill('alice');
  await page.getByLabel('パスワード').fill(password);
  await page.getByRole('button', { name: 'ログイン' }).click();
};

describe('a browser without JavaScript', () => {
  it('signs in by code, in Japanese', async () => {
    await using oidc = await createOidcClient(client());
    await using program = await listenOnLoopback();
    await using window = await withoutScripts('ja-JP');
    const { page } = window;
    const request = await prepareRequest(oidc, { redirect_uri: program.redirectUri });
    await page.goto(request.url.href);
    expect(await heading(page)).toBe('ログイン');
    await signInInJapanese(page, 'wrong');
    expect(await page.getByRole('alert').textContent()).toContain('正しくありません');
    await signInInJapanese(page);
    expect(await heading(page)).toBe('決済 にログインしますか？');
    await page.getByRole('button', { name: '許可' }).click();
    const tokens = await redeem(oidc, request, await program.answer);
    expect(tokens.claims['groups']).toEqual(['team']);
  });

  it('approves a device with the complete address, which only fills in the code', async () => {
    await using oidc = await createOidcClient(client());
    await using window = await withoutScripts('en');
    const { page } = window;
    const device = await startDevice(oidc);
    await page.goto(device.verification_uri_complete ?? '');
    await page.getByRole('button', { name: '日本語' }).click();
    expect(await page.getByRole('textbox').inputValue()).toBe(device.user_code);
    await page.getByRole('button', { name: '次へ' }).click();
    expect(await heading(page)).toBe('コードは一致していますか？');
    await expect(redeemDevice(oidc, device)).rejects.toMatchObject({
      error: 'authorization_pending',
    });
    await page.getByRole('button', { name: '一致しています' }).click();
    await signInInJapanese(page);
    await page.getByRole('button', { name: '許可' }).click();
    expect(await heading(page)).toBe('ログインしました');
    expect((await redeemDevice(oidc, device)).claims['groups']).toEqual(['team']);
  });
});

describe('the language', () => {
  it('is the one of the switch, on the same page and everywhere after, from then on', async () => {
    await using oidc = await createOidcClient(client());
    await using window = await withoutScripts('en');
    const { page, context } = window;
    await page.goto((await prepareRequest(oidc)).url.href);
    const address = page.url();
    await page.getByRole('button', { name: '日本語' }).click();
    expect(page.url()).toBe(address);
    expect(await heading(page)).toBe('ログイン');
    expect(await context.cookies()).toContainEqual(
      expect.objectContaining({
        name: '__Host-hexabase-locale',
        value: 'ja',
        path: '/',
        secure: true,
        httpOnly: true,
        sameSite: 'Lax',
      }),
    );
    await signInInJapanese(page, 'wrong');
    await page.getByRole('button', { name: 'English' }).click();
    expect(page.url()).toBe(address);
    expect(await heading(page)).toBe('Sign in');
    await page.goto(`${issuer.issuerUrl}/nothing?a=b`);
    await page.getByRole('button', { name: '日本語' }).click();
    expect(page.url()).toBe(`${issuer.issuerUrl}/nothing?a=b`);
    expect(await heading(page)).toBe('ページが見つかりません');
  });

  it('is the one that the client asks for, on every page of the sign-in', async () => {
    await using oidc = await createOidcClient(client());
    await using window = await withoutScripts('en');
    const { page } = window;
    await page.goto((await prepareRequest(oidc, { ui_locales: 'fr ja-JP en' })).url.href);
    expect(await heading(page)).toBe('ログイン');
    await signInInJapanese(page);
    expect(await heading(page)).toBe('決済 にログインしますか？');
    await page.getByRole('button', { name: 'English' }).click();
    expect(await heading(page)).toBe('Sign in to 決済?');
    await page.getByRole('link', { name: 'Sign in as someone else' }).click();
    await page.getByRole('button', { name: '日本語' }).click();
    expect(await heading(page)).toBe('ログイン');
  });

  it('is in the discovery document, and part of what a page depends on', async () => {
    const { discovery, page } = await usingAgent(async (ask) => ({
      discovery: await (await ask('/.well-known/openid-configuration')).json(),
      page: await ask('/device', { headers: { 'accept-language': 'de, ja;q=0.5' } }),
    }));
    expect(discovery).toMatchObject({ ui_locales_supported: ['en', 'ja'] });
    expect(page.headers.get('content-language')).toBe('ja');
    expect(page.headers.get('vary')).toContain('Accept-Language');
  });
});

type Ask = (path: string, init?: Parameters<typeof fetch>[1]) => ReturnType<typeof fetch>;

const usingAgent = async <T>(use: (ask: Ask) => Promise<T>): Promise<T> => {
  const dispatcher = new Agent({ connect: { ca: issuer.ca } });
  try {
    return await use((path, init) =>
      fetch(new URL(path, issuer.issuerUrl), { ...init, redirect: 'manual', dispatcher }),
    );
  } finally {
    await dispatcher.close();
  }
};

describe('the switch', () => {
  const choose = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    usingAgent(async (ask) => {
      const answer = await ask('/locale', {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { origin: issuer.issuerUrl, accept: 'text/html', ...headers },
      });
      await answer.body?.cancel();
      return answer;
    });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    '/\r\nLocation: https://evil.example/',
  ])('leads nowhere else: %j', async (address) => {
    const answer = await choose({ locale: 'ja', address });
    expect(answer.status).toBe(303);
    expect(new URL(answer.headers.get('location') ?? '').origin).toBe(issuer.issuerUrl);
  });

  it('takes no language that there is not', async () => {
    const answer = await choose({ locale: 'xx', address: '/' });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([400, []]);
  });

  it('takes no choice from another site', async () => {
    const answer = await choose({ locale: 'ja' }, { origin: 'https://evil.example' });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
  });
});
