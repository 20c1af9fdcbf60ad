import type { Browser, Page } from 'playwright-core';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createPageVisitor,
  type PageVisitor,
  type VisitedPage,
} from '../../../quickstart/page-visitor.ts';
import { launchChromium } from '../../support/chromium.ts';
import { TRACE, XSS_STRINGS } from '../../support/corpora/xss.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { createOidcClient, prepareRequest, signInWithCode } from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let browser: Browser;
let judge: Page;
let agent: Agent;
let request: URL;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }, { username: 'bob' }]);
  workspace = await createWorkspace(database);
  await workspace.addMember(await createPerson(database, 'alice'));
  agent = new Agent({ connect: { ca: issuer.ca } });
  await using visitor = createPageVisitor(issuer.ca);
  await using client = await createOidcClient(as('alice', visitor));
  request = (await prepareRequest(client)).url;
  browser = await launchChromium();
  judge = await browser.newPage();
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await agent?.close();
  await issuer?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const as = (username: string, visitor: PageVisitor) => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: username === 'bob' ? 'hexabase-cli' : workspace.clientId,
  username,
  password: TEST_PASSWORD,
  visitor,
});

/** An authorization request of the workspace's client. */
const requestWith = async (parameters: Record<string, string>): Promise<string> => {
  const url = new URL(request);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
};

/** Names everything so that a page shows. */
const renameAll = async (text: string): Promise<void> => {
  await database.query('UPDATE person SET display_name = $1, email = $1', [text]);
  await database.query('UPDATE workspace SET name = $1', [text]);
  await database.query('UPDATE organization SET name = $1', [text]);
};

/** Elements and attributes of pages as Chromium reads them; nothing of them runs or is loaded. */
const readSkeletons = (pages: readonly string[]): Promise<readonly (readonly string[])[]> =>
  judge.evaluate(`(${READ_SKELETONS})(${JSON.stringify(pages)})`);

/** Runs in the browser. */
const READ_SKELETONS = `(texts) => texts.map((text) =>
  [...new DOMParser().parseFromString(text, 'text/html').querySelectorAll('*')].map((element) =>
    element.tagName + ' ' + [...element.attributes].map(({ name, value }) =>
      /^(href|src|action|style)$/.test(name) ? name + '=' + value : name).join(' ')))`;

const withoutUid = (skeleton: readonly string[]): readonly string[] =>
  skeleton.map((line) => line.replace(/\/interaction\/[\w-]+/, '/interaction/uid'));

const POLICY =
  /^default-src 'none'; style-src 'self'; img-src [^;]*; script-src; base-uri 'none'; frame-ancestors 'none'; form-action 'self'( http:\/\/localhost:8000)?$/;

/** Opens the same page once for each text, and returns those texts that change more than text. */
const findOffenders = async (open: (text: string) => Promise<VisitedPage>) => {
  const texts = ['harmless', ...XSS_STRINGS];
  const pages: VisitedPage[] = [];
  for (const text of texts) pages.push(await open(text));
  for (const page of pages) {
    expect(page.left).toBe(false);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(POLICY);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  }
  const skeletons = await readSkeletons(pages.map(({ document }) => document.toString()));
  const [expected = [], ...others] = skeletons.map(withoutUid);
  expect(expected.length).toBeGreaterThan(10);
  return XSS_STRINGS.filter((_, index) => others[index]?.join('\n') !== expected.join('\n'));
};

describe('names with markup in them', () => {
  it('are text on the sign-in page and in what was typed there', async () => {
    const offenders = await findOffenders(async (text) => {
      await renameAll(text);
      await using visitor = createPageVisitor(issuer.ca);
      const start = await visitor.open(await requestWith({ login_hint: text, state: text }));
      expect(start.text).toContain('Sign in');
      return await visitor.submit(start, {
        having: 'password',
        fields: { username: text, password: 'wrong' },
      });
    });
    expect(offenders).toEqual([]);
  });

  it('are text where a sign-in is confirmed', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    await renameAll('Payments');
    await signInWithCode(as('alice', visitor));
    const offenders = await findOffenders(async (text) => {
      await renameAll(text);
      return visitor.open(await requestWith({ state: text, ui_locales: text, nonce: text }));
    });
    expect(offenders).toEqual([]);
  });

  it('are text where someone is told that they are no member', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    await signInWithCode({ ...as('bob', visitor), extraParams: { scope: 'openid api' } });
    const offenders = await findOffenders(async (text) => {
      await renameAll(text);
      return visitor.open(await requestWith({}));
    });
    expect(offenders).toEqual([]);
  });

  it('are text where a device is connected', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const entries = await findOffenders(async (text) =>
      visitor.open(`${issuer.issuerUrl}/device?${new URLSearchParams({ user_code: text })}`),
    );
    expect(entries).toEqual([]);
    const unknown = await findOffenders(async (text) => {
      const entry = await visitor.open(`${issuer.issuerUrl}/device`);
      return visitor.submit(entry, { fields: { user_code: text } });
    });
    expect(unknown).toEqual([]);
  });

  it('are text where a device’s code is checked', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const offenders = await findOffenders(async (text) => {
      await renameAll(text);
      const response = await fetch(`${issuer.issuerUrl}/device/auth`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: workspace.clientId, scope: 'openid' }),
        headers: { 'user-agent': 'device' },
        dispatcher: agent,
      });
      const { user_code } = (await response.json()) as { user_code: string };
      const entry = await visitor.open(`${issuer.issuerUrl}/device`);
      return visitor.submit(entry, { fields: { user_code } });
    });
    expect(offenders).toEqual([]);
  });
});

describe('parameters with markup in them', () => {
  it.each([
    ['client_id', (text: string) => requestWith({ client_id: text })],
    ['redirect_uri', (text: string) => requestWith({ redirect_uri: text })],
    [
      'everything else, with a redirect address that is refused',
      (text: string) =>
        requestWith({
          ...{
            redirect_uri: 'https://evil.example',
            scope: text,
            response_type: text,
            state: text,
          },
          ...{ prompt: text, claims: text, resource: text, ui_locales: text, login_hint: text },
        }),
    ],
    [
      'id_token_hint',
      async (text: string) =>
        `${issuer.issuerUrl}/session/end?${new URLSearchParams({ id_token_hint: text, state: text })}`,
    ],
    [
      'post_logout_redirect_uri',
      async (text: string) =>
        `${issuer.issuerUrl}/session/end?${new URLSearchParams({
          ...{ client_id: workspace.clientId, post_logout_redirect_uri: text, ui_locales: text },
        })}`,
    ],
    ['a path', async (text: string) => `${issuer.issuerUrl}/x${encodeURIComponent(text)}`],
    ['a query', async (text: string) => `${issuer.issuerUrl}/nowhere?${encodeURIComponent(text)}`],
  ])('are text on error pages: %s', async (_name, addressOf) => {
    await using visitor = createPageVisitor(issuer.ca, { accept: 'text/html' });
    const offenders = await findOffenders(async (text) => visitor.open(await addressOf(text)));
    expect(offenders).toEqual([]);
  });
});

describe('in a browser', () => {
  it('nothing of every third string runs or is loaded', async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const requested: string[] = [];
    page.on('request', (each) => requested.push(each.url()));
    page.on('dialog', (dialog) => dialog.dismiss());
    for (const text of XSS_STRINGS.filter((_, index) => index % 3 === 0)) {
      await renameAll(text);
      await page.goto(await requestWith({ login_hint: text, state: text, ui_locales: text }));
      expect([text, await page.evaluate((name) => name in globalThis, TRACE)]).toEqual([
        text,
        false,
      ]);
    }
    await context.close();
    const origins = requested
      .map((url) => new URL(url))
      .filter(({ protocol }) => protocol !== 'data:');
    expect([...new Set(origins.map(({ origin }) => origin))]).toEqual([issuer.issuerUrl]);
  });
});
