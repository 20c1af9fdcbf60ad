/** A platform's own name, logo, colours and links on the pages. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../support/chromium.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import { startGallery } from '../../support/page-gallery.ts';
import { openWindow } from '../../support/window.ts';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" width="8" height="8">
<script>document.documentElement.setAttribute('data-ran', 'yes')</script>
<rect width="8" height="8" fill="#0b5c4a"/></svg>`;
const GREEN = { light: '#0b5c4a', dark: '#5fd3b5' };

let browser: Browser;
let database: TestDatabase;
let issuer: TestIssuer;
let directory: string;

beforeAll(async () => {
  browser = await launchChromium();
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'brand-'));
  await writeFile(join(directory, 'logo.svg'), SVG);
  issuer = await startTestIssuer(database, [{ username: 'alice' }], {
    branding: {
      name: 'Acme <b>Platform</b>',
      logo_path: join(directory, 'logo.svg'),
      accent_color: GREEN,
      support_url: 'mailto:platform@acme.example',
      terms_url: 'https://acme.example/terms',
      privacy_url: 'https://acme.example/privacy',
    },
  });
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await issuer?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe('a brand', () => {
  it.each([
    ['light', 'rgb(11, 92, 74)'],
    ['dark', 'rgb(95, 211, 181)'],
  ] as const)('is on every page, in its colours, %s', async (colorScheme, colour) => {
    await using window = await openWindow(browser, { colorScheme, locale: 'en' });
    const { page, complaints } = window;
    await page.goto(`${issuer.issuerUrl}/device`);
    expect(await page.title()).toBe('Connect a device · Acme <b>Platform</b>');
    expect(await page.getByRole('banner').textContent()).toContain('Acme <b>Platform</b>');
    expect(await page.evaluate('document.querySelector("img.logo").naturalWidth')).toBe(8);
    const links = page.getByRole('navigation').getByRole('link');
    expect(await links.evaluateAll((all) => all.map((each) => each.getAttribute('href')))).toEqual([
      'mailto:platform@acme.example',
      'https://acme.example/terms',
      'https://acme.example/privacy',
    ]);
    const background = 'getComputedStyle(document.querySelector("main button")).backgroundColor';
    expect(await page.evaluate(background)).toBe(colour);
    expect(complaints).toEqual([]);
  });

  it('is in the name of the account pages too', async () => {
    await using window = await openWindow(browser, { locale: 'en' });
    await window.page.goto(`${issuer.issuerUrl}/account`);
    expect(await window.page.getByRole('main').textContent()).toContain(
      'to continue to Acme <b>Platform</b> account',
    );
  });

  it('has a logo that runs nothing, even when it is opened by itself', async () => {
    await using window = await openWindow(browser);
    const { page } = window;
    await page.goto(`${issuer.issuerUrl}/device`);
    const source = (await page.locator('img.logo').getAttribute('src')) ?? '';
    expect(source).toMatch(/^\/assets\/[0-9a-f]{16}\.svg$/);
    const response = await page.goto(`${issuer.issuerUrl}${source}`);
    expect(response?.headers()).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-security-policy': expect.stringMatching(/default-src 'none'.*sandbox/),
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect(await page.locator('svg').getAttribute('data-ran')).toBeNull();
  });

  it.each([
    ['an image of another kind', 'logo.png', SVG, /no PNG image/],
    ['a text', 'text.svg', 'hello', /no SVG image/],
    ['more than 256 KiB', 'large.svg', `<svg>${' '.repeat(262_144)}</svg>`, /larger than 256 KiB/],
  ])('refuses %s as its logo', async (_name, file, content, message) => {
    await writeFile(join(directory, file), content);
    await expect(startGallery({ logo_path: join(directory, file) })).rejects.toThrow(message);
  });
});
