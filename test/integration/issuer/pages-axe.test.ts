/** Every page in both languages and themes: by axe's rules, without a script, and on a phone. */
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../support/chromium.ts';
import { createGallery, type GalleryServer, startGallery } from '../../support/page-gallery.ts';

const PAGES = Object.keys(createGallery());
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

let browser: Browser;
let gallery: GalleryServer;

beforeAll(async () => {
  browser = await launchChromium();
  gallery = await startGallery({ support_url: 'https://acme.example/support' });
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await gallery?.[Symbol.asyncDispose]();
});

/** For people to look at, when `SCREENSHOT_DIRECTORY` is set. */
const shoot = async (page: Page, name: string): Promise<void> => {
  const directory = process.env['SCREENSHOT_DIRECTORY'];
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
};

describe.each(['en', 'ja'])('in the language %s', (locale) => {
  it.each(['light', 'dark'] as const)(
    'no page breaks a rule of axe, %s',
    async (colorScheme) => {
      // axe is a script, which the pages' policy forbids.
      const context = await browser.newContext({
        locale,
        colorScheme,
        viewport: DESKTOP,
        bypassCSP: true,
      });
      const page = await context.newPage();
      const violations: string[] = [];
      for (const name of PAGES) {
        await page.goto(`${gallery.url}/${name}`);
        await shoot(page, `${name}-${locale}-${colorScheme}-desktop`);
        const results = await new AxeBuilder({ page }).setLegacyMode().withTags(RULES).analyze();
        expect(results.passes.length).toBeGreaterThan(10);
        for (const { id, nodes } of results.violations) {
          violations.push(
            `${name}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
          );
        }
      }
      await context.close();
      expect(violations).toEqual([]);
    },
    240_000,
  );

  it.each([
    ['a phone', PHONE, 1],
    ['a small phone', { width: 320, height: 568 }, 1],
    // 1280 pixels at 200 % (WCAG 2.2, 1.4.4).
    ['a desktop that zooms', { width: 640, height: 400 }, 2],
  ])('no page is wider than %s', async (device, viewport, deviceScaleFactor) => {
    const context = await browser.newContext({
      locale,
      viewport,
      deviceScaleFactor,
      javaScriptEnabled: true,
    });
    const page = await context.newPage();
    for (const name of PAGES) {
      await page.goto(`${gallery.url}/${name}`);
      if (device === 'a phone') await shoot(page, `${name}-${locale}-light-phone`);
      const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      expect([name, isWide]).toEqual([name, false]);
    }
    await context.close();
  });

  it('each page is declared in its language and offers the other', async () => {
    const context = await browser.newContext({ locale, javaScriptEnabled: false });
    const page = await context.newPage();
    for (const name of PAGES) {
      const response = await page.goto(`${gallery.url}/${name}`);
      expect(response?.headers()['content-language']).toBe(locale);
      expect(response?.headers()['vary']).toContain('Accept-Language');
      expect(await page.locator('html').getAttribute('lang')).toBe(locale);
      expect(await page.getByRole('button', { name: 'English' }).count()).toBe(1);
      expect(await page.getByRole('button', { name: '日本語' }).count()).toBe(1);
    }
    await context.close();
  });
});

describe('without the mouse', () => {
  it('the focus is always seen, also where the system chooses the colours', async () => {
    for (const forcedColors of ['none', 'active'] as const) {
      const context = await browser.newContext({ viewport: DESKTOP, forcedColors });
      const page = await context.newPage();
      for (const name of PAGES) {
        await page.goto(`${gallery.url}/${name}`);
        for (let count = await focusable(page); count > 0; count -= 1) {
          await page.keyboard.press('Tab');
          expect([name, await outlineWidth(page)]).toEqual([name, expect.any(Number)]);
          expect(await outlineWidth(page)).toBeGreaterThanOrEqual(2);
        }
      }
      await context.close();
    }
  }, 120_000);

  it('an error leads to its field', async () => {
    const context = await browser.newContext({ viewport: DESKTOP, javaScriptEnabled: false });
    const page = await context.newPage();
    for (const [name, field] of [
      ['sign-in-failed', 'connector-local-username'],
      ['choose-failed', 'connector-local-username'],
      ['device-problem', 'user-code'],
    ] as const) {
      await page.goto(`${gallery.url}/${name}`);
      await page.getByRole('alert').getByRole('link').click();
      expect(await page.locator(':focus').getAttribute('id')).toBe(field);
      expect(await page.locator(':focus').getAttribute('aria-invalid')).toBe('true');
    }
    await context.close();
  });
});

const focusable = (page: Page): Promise<number> =>
  page
    .locator('a[href]:visible, button:visible, input:not([type=hidden]):visible, summary')
    .count();

const outlineWidth = (page: Page): Promise<number> =>
  page.evaluate('Number.parseFloat(getComputedStyle(document.activeElement).outlineWidth)');

describe('the policy of the pages', () => {
  it('runs no script that got into a page, and complains about nothing of ours', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    for (const name of PAGES) await page.goto(`${gallery.url}/${name}`);
    expect(
      complaints.filter((text) => !text.includes('status of 4') && !text.includes('status of 5')),
    ).toEqual([]);
    await page.route('**/confirm', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(
        '</main>',
        '<script>document.title = "ran"</script></main>',
      );
      await route.fulfill({ response, body });
    });
    await page.goto(`${gallery.url}/confirm`);
    expect(await page.title()).toContain('Sign in to Payments production?');
    expect(complaints.join()).toContain('Content Security Policy');
    await context.close();
  });
});
