/** The reference page in a real browser, under its own Content-Security-Policy. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../tenancy-api/routes.ts';
import { launchChromium } from '../../support/chromium.ts';
import { startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
let browser: Browser;
beforeAll(async () => {
  [api, browser] = await Promise.all([startTestApi(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await api?.[Symbol.asyncDispose]();
});

/** The page; `hosts` gathers whom it asks, `faults` what the browser complains of. */
const open = async (): Promise<{ page: Page; hosts: Set<string>; faults: string[] }> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const hosts = new Set<string>();
  const faults: string[] = [];
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:') hosts.add(host);
  });
  page.on('requestfailed', (request) => faults.push(`${request.url()} failed`));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  await page.goto(`${api.url}/reference`);
  await page.locator('.opblock').first().waitFor();
  return { page, hosts, faults };
};

const openOperation = async (page: Page, id: string) => {
  const operation = page.locator(`[id$="-${id}"]`);
  await operation.locator('.opblock-summary-control').click();
  return operation;
};

describe('the reference page', () => {
  it('shows every operation with its examples, and asks nobody but this server', async () => {
    const { page, hosts, faults } = await open();
    await expect.poll(() => page.locator('.opblock').count()).toBe(ROUTES.length);
    const operation = await openOperation(page, 'postWorkspacesWorkspaceGroups');
    await expect.poll(() => operation.textContent(), { timeout: 10_000 }).toContain('sig-release');
    const path = process.env['REFERENCE_SCREENSHOT'];
    if (path) await page.screenshot({ path });
    expect(faults).toEqual([]);
    expect([...hosts]).toEqual([new URL(api.url).host]);
    await page.close();
  });

  it('makes requests with the token that it is given', async () => {
    const { token, person } = await api.signUp('grace');
    const { page, faults } = await open();
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.locator('.auth-container input').fill(token);
    await page.locator('.auth-btn-wrapper .authorize').click();
    await page.locator('.auth-btn-wrapper .btn-done').click();
    const operation = await openOperation(page, 'getMe');
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    const answer = operation.locator('.live-responses-table');
    await expect.poll(() => answer.textContent(), { timeout: 10_000 }).toContain(person);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('is open to readers, and may be framed by nobody', async () => {
    const page = await fetch(`${api.url}/reference`);
    expect(page.status).toBe(200);
    expect(page.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('Content-Security-Policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|http|\*/);
  });

  it('is sent compressed, and not again while it is the same', async () => {
    const ask = (headers: Record<string, string>) =>
      fetch(`${api.url}/reference/swagger-ui-bundle.js`, { headers });
    const first = await ask({ 'Accept-Encoding': 'br' });
    expect(first.headers.get('Content-Encoding')).toBe('br');
    const text = await first.text();
    const tag = first.headers.get('ETag') ?? '';
    // A fetch with If-None-Match asks for a fresh answer on its own, unless told otherwise.
    const again = { 'If-None-Match': tag, 'Accept-Encoding': 'br', 'Cache-Control': 'max-age=0' };
    expect((await ask(again)).status).toBe(304);
    const plain = await ask({ 'Accept-Encoding': 'identity' });
    expect(plain.headers.get('Content-Encoding')).toBeNull();
    expect(plain.headers.get('ETag')).not.toBe(tag);
    expect(await plain.text()).toBe(text);
  });

  it.each(['/reference/', '/reference/reference-page.ts', '/reference/..%2Fapp.ts', '/references'])(
    'is its own files alone: nothing at %s',
    async (path) => {
      expect(await api.call(null, 'GET', path)).toMatchObject({ status: 404 });
    },
  );

  it('tells which methods it has', async () => {
    const options = await fetch(`${api.url}/reference`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('Allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const head = await fetch(`${api.url}/reference`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const refused = await api.call(null, 'POST', '/reference', {});
    expect(refused).toMatchObject({ status: 405 });
    expect(refused.headers.get('Allow')).toBe('GET, HEAD, OPTIONS');
  });
});
