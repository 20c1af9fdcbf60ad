/** The account page of sessions and sign-ins: what it shows, what it ends, and whose it never touches. */
import { randomBytes } from 'node:crypto';
import { errors } from 'oidc-provider';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEncryption } from '#runtime/encryption.ts';
import { createAdapterFactory, hash } from '../../../issuer/storage/adapter.ts';
import { markSessionEnded } from '../../../issuer/storage/session-rows.ts';
import {
  createPageVisitor,
  type PageVisitor,
  type VisitedPage,
} from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  goThroughPages,
  refresh,
  signInWithCode,
  signInWithDevice,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace } from './tenancy-rows.ts';

const SESSION_COOKIE = '__Host-hexabase-session';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let issuer: TestIssuer;
let workspaceClient: string;
let browser: PageVisitor;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  issuer = stack.use(await startTestIssuer(database, [{ username: 'alice' }, { username: 'bob' }]));
  const workspace = await createWorkspace(database);
  await workspace.addMember(await createPerson(database, 'alice'));
  workspaceClient = workspace.clientId;
});
beforeEach(async () => {
  await database.query('DELETE FROM oidc_grant');
  await database.query('DELETE FROM oidc_artifact');
  browser = createPageVisitor(issuer.ca);
  return () => browser[Symbol.asyncDispose]();
});
afterAll(() => stack.disposeAsync());

const person = (username = 'alice') => ({ username, password: TEST_PASSWORD });
const openAccount = async (
  visitor = browser,
  username = 'alice',
  path = '',
): Promise<VisitedPage> =>
  goThroughPages(
    visitor,
    await visitor.open(`${issuer.issuerUrl}/account${path}`),
    person(username),
  );
const terminal = (clientId = workspaceClient, username = 'alice') => ({
  ...person(username),
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId,
});
const isRefused = (refreshToken: string, clientId = workspaceClient) =>
  expect(refresh({ ...terminal(clientId), refreshToken })).rejects.toMatchObject({
    error: 'invalid_grant',
  });
const sessionCookie = async (visitor: PageVisitor) =>
  (await visitor.cookies.getCookies(issuer.issuerUrl)).find(({ key }) => key === SESSION_COOKIE)
    ?.value;
const asksToSignIn = (page: VisitedPage) =>
  page.document.querySelector('input[name=password]') !== null;
const endForms = (page: VisitedPage, kind: 'sessions' | 'grants') =>
  page.document
    .querySelectorAll(`form[action^="/account/${kind}/"]`)
    .map((form) => form.getAttribute('action') ?? '');

describe('the account pages', () => {
  it('ask whoever has no session to sign in, and lead back', async () => {
    const first = await browser.open(`${issuer.issuerUrl}/account/sessions`);
    expect(asksToSignIn(first)).toBe(true);
    const page = await goThroughPages(browser, first, person());
    expect([page.status, page.url.pathname]).toEqual([200, '/account/sessions']);
  });

  it('change nothing for whoever has no session', async () => {
    const { refresh_token } = await signInWithCode(terminal());
    const page = await openAccount();
    const [action = ''] = endForms(page, 'grants');
    await using stranger = createPageVisitor(issuer.ca);
    await stranger.submit(page, { action });
    await stranger.submit(page, { action: '/sign-out-everywhere' });
    await refresh({ ...terminal(), refreshToken: refresh_token });
  });

  it('take no form from another site', async () => {
    const page = await openAccount();
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const answer = await browser.submit(page, { action: '/sign-out-everywhere', headers });
    expect(answer.status).toBe(403);
    expect(asksToSignIn(await browser.open(page.url.href))).toBe(false);
  });
});

describe('the list', () => {
  it('shows browsers and terminals, with device, address and workspace', async () => {
    await signInWithCode(terminal());
    await signInWithDevice(terminal('hexabase-cli'));
    const page = await openAccount();
    expect(endForms(page, 'sessions')).toHaveLength(3);
    expect(endForms(page, 'grants')).toHaveLength(2);
    expect(page.text).toContain('Payments');
    expect(page.text).toContain('Acme Corporation');
    expect(page.text).toContain('Hexabase command line');
    expect(page.text.match(/By device code/g)).toHaveLength(1);
    expect(page.text.match(/This browser/g)).toHaveLength(1);
    expect(page.text).toMatch(/Address ?(127\.0\.0\.1|::1)/);
  });

  it('says when a terminal was used last', async () => {
    const { refresh_token } = await signInWithCode(terminal());
    await database.query(
      `UPDATE oidc_artifact SET created_at = '2026-01-02T03:04:00Z' WHERE model = 'RefreshToken'`,
    );
    const before = await openAccount();
    expect(
      before.document.querySelectorAll('time').map((time) => time.getAttribute('datetime')),
    ).toContain('2026-01-02T03:04:00.000Z');
    await refresh({ ...terminal(), refreshToken: refresh_token });
    const after = await openAccount();
    expect(after.document.toString()).not.toContain('2026-01-02T03:04:00.000Z');
  });

  it('keeps no address and no device readable in the database', async () => {
    await openAccount();
    const rows = await database.query(
      `SELECT encode(sealed_payload, 'escape') AS payload FROM oidc_artifact WHERE model = 'Session'`,
    );
    expect(rows).not.toHaveLength(0);
    for (const { payload } of rows) expect(payload).not.toMatch(/127\.0\.0\.1|undici|node/);
  });
});

describe('ending one', () => {
  it('of a terminal ends its tokens and no others', async () => {
    const first = await signInWithCode(terminal());
    const second = await signInWithCode(terminal('hexabase-cli'));
    const page = await openAccount();
    const action = endForms(page, 'grants')[0] ?? '';
    const after = await browser.submit(page, { action });
    expect(endForms(after, 'grants')).toHaveLength(1);
    // The last used is first.
    await isRefused(second.refresh_token, 'hexabase-cli');
    await refresh({ ...terminal(), refreshToken: first.refresh_token });
  });

  it('of a browser makes its cookie worth nothing', async () => {
    await using other = createPageVisitor(issuer.ca);
    await openAccount(other);
    const page = await openAccount();
    const mine = endForms(page, 'sessions').find((action) => !isThisBrowser(page, action)) ?? '';
    await browser.submit(page, { action: mine });
    expect(asksToSignIn(await other.open(`${issuer.issuerUrl}/account/sessions`))).toBe(true);
    expect(asksToSignIn(await browser.open(page.url.href))).toBe(false);
  });

  it('of someone else’s finds nothing and touches nothing', async () => {
    const { refresh_token } = await signInWithCode(terminal());
    const page = await openAccount();
    await using bob = createPageVisitor(issuer.ca);
    const bobs = await openAccount(bob, 'bob');
    for (const action of [...endForms(page, 'grants'), ...endForms(page, 'sessions')]) {
      const answer = await bob.submit(page, { action });
      expect(answer.status).toBe(404);
      const unknown = await bob.submit(
        renamed(bobs, action.replace(/[^/]{8}\/end$/, 'AAAAAAAA/end')),
      );
      expect(unknown.status).toBe(404);
    }
    await refresh({ ...terminal(), refreshToken: refresh_token });
    expect(asksToSignIn(await browser.open(page.url.href))).toBe(false);
  });
});

describe('sign out everywhere', () => {
  it('ends every browser and every terminal, this one too, and is on the record', async () => {
    const kubectls = [await signInWithCode(terminal()), await signInWithCode(terminal())];
    const bobs = await signInWithCode(terminal('hexabase-cli', 'bob'));
    await using other = createPageVisitor(issuer.ca);
    await openAccount(other);
    const page = await openAccount();
    const end = await browser.submit(page, { action: '/sign-out-everywhere' });
    expect(end.text).toContain('You are signed out');
    for (const { refresh_token } of kubectls) await isRefused(refresh_token);
    for (const visitor of [browser, other]) {
      expect(asksToSignIn(await visitor.open(`${issuer.issuerUrl}/account/sessions`))).toBe(true);
    }
    await refresh({ ...terminal('hexabase-cli'), refreshToken: bobs.refresh_token });
    const rows = await database.query(
      `SELECT e.before, o.personal_for = e.actor_id AS own FROM audit_event e
      JOIN organization o ON o.id = e.organization_id
      WHERE e.action = 'account.sign-out-everywhere'`,
    );
    expect(rows).toEqual([{ before: { sessions: 4, sign_ins: expect.any(Number) }, own: true }]);
  });

  it('ends a sign-in of the same second, and no later one, whatever the clocks say', async () => {
    const signOutAt = (time: string) =>
      database.query(`UPDATE person SET signed_out_at = ${time} WHERE display_name = 'alice'`);
    const tokens = await signInWithCode({ ...terminal(), extraParams: { max_age: '100' } });
    const time = `to_timestamp(${tokens.claims['auth_time']})`;
    await signOutAt(time);
    const renewed = await refresh({ ...terminal(), refreshToken: tokens.refresh_token });
    await signOutAt(`${time} + interval '1 microsecond'`);
    await isRefused(renewed.refresh_token);
    await signOutAt(`now() + interval '5 seconds'`);
    const again = await signInWithCode(terminal());
    await refresh({ ...terminal(), refreshToken: again.refresh_token });
  });

  it('ends a session that is getting another identifier just then', async () => {
    await using other = createPageVisitor(issuer.ca);
    const { url } = await openAccount(other);
    const page = await openAccount();
    // The provider removes a session's row before it stores the next.
    await database.query(
      `CREATE TABLE aside AS SELECT * FROM oidc_artifact
      WHERE model = 'Session' AND id_hash = '\\x${hash((await sessionCookie(other)) ?? '').toString('hex')}'`,
    );
    await database.query('DELETE FROM oidc_artifact WHERE id_hash = (SELECT id_hash FROM aside)');
    await browser.submit(page, { action: '/sign-out-everywhere' });
    const stored = await database.query(
      'INSERT INTO oidc_artifact SELECT * FROM aside RETURNING model',
    );
    expect(stored).toHaveLength(1);
    expect(asksToSignIn(await other.open(url.href))).toBe(true);
  });

  it('ends a sign-in that is over, but has not come to its session yet', async () => {
    await using other = createPageVisitor(issuer.ca);
    const goOn = await signInOnly(other, await other.open(`${issuer.issuerUrl}/account/sessions`));
    const page = await openAccount();
    await browser.submit(page, { action: '/sign-out-everywhere' });
    expect(asksToSignIn(await other.open(goOn))).toBe(true);
    expect((await openAccount(other)).url.pathname).toBe('/account/sessions');
  });
});

describe('a session', () => {
  it('gets another identifier at each sign-in, and one that was planted is worth nothing', async () => {
    await browser.cookies.setCookie(`${SESSION_COOKIE}=planted; Path=/; Secure`, issuer.issuerUrl);
    await openAccount();
    const first = await sessionCookie(browser);
    expect(first).not.toBe('planted');
    await openAccount();
    await using victim = createPageVisitor(issuer.ca);
    // An anonymous session of an attacker's browser, given to someone who then signs in.
    await victim.open(`${issuer.issuerUrl}/device`);
    const planted = await sessionCookie(victim);
    const cookies = await victim.cookies.getCookies(issuer.issuerUrl);
    await openAccount(victim);
    expect(await sessionCookie(victim)).not.toBe(planted);
    await using attacker = createPageVisitor(issuer.ca);
    for (const cookie of cookies) await attacker.cookies.setCookie(cookie, issuer.issuerUrl);
    expect(asksToSignIn(await attacker.open(`${issuer.issuerUrl}/account/sessions`))).toBe(true);
  });

  it('is nobody’s while its person is suspended', async () => {
    await openAccount(browser, 'bob');
    await database.query(`UPDATE person SET suspended_at = now() WHERE display_name = 'bob'`);
    expect(asksToSignIn(await browser.open(`${issuer.issuerUrl}/account/sessions`))).toBe(true);
    await database.query(`UPDATE person SET suspended_at = NULL WHERE display_name = 'bob'`);
    const cookie = await sessionCookie(browser);
    const page = await openAccount(browser, 'bob');
    expect(page.status).toBe(200);
    expect(await sessionCookie(browser)).toBe(cookie);
  });

  it('that was ended stays so, also when a request under way stores it again', async () => {
    const encryption = createEncryption(randomBytes(32));
    const store = createAdapterFactory({ database: issuer.database, encryption })('Session');
    await store.upsert('cookie', { uid: 'the-uid', kind: 'Session' }, 60);
    expect(await store.findByUid('the-uid')).toMatchObject({ uid: 'the-uid' });
    await store.destroy('cookie');
    await markSessionEnded(issuer.database, hash('the-uid'), 60);
    for (const cookie of ['cookie', 'another']) {
      const storing = store.upsert(cookie, { uid: 'the-uid', kind: 'Session' }, 60);
      await expect(storing).rejects.toBeInstanceOf(errors.SessionNotFound);
      expect(await store.find(cookie)).toBeUndefined();
    }
    expect(await store.findByUid('the-uid')).toBeUndefined();
  });

  it('that is not used for an hour ends', async () => {
    await openAccount();
    await database.query(
      `UPDATE oidc_artifact SET expires_at = expires_at - interval '61 minutes' WHERE model = 'Session'`,
    );
    expect(asksToSignIn(await browser.open(`${issuer.issuerUrl}/account/sessions`))).toBe(true);
  });

  it('ends eight hours after the sign-in, however much it is used', async () => {
    await openAccount();
    const cookies = await browser.cookies.getCookies(issuer.issuerUrl);
    const held = cookies.map(({ key, value }) => `${key}=${value}; Path=/; Secure`);
    const isAlive = async () => {
      // As a thief would, without the date on which a browser forgets it.
      await using thief = createPageVisitor(issuer.ca);
      for (const cookie of held) await thief.cookies.setCookie(cookie, issuer.issuerUrl);
      await thief.open(`${issuer.issuerUrl}/device`);
      return !asksToSignIn(await thief.open(`${issuer.issuerUrl}/account/sessions`));
    };
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    try {
      for (let used = 1; used <= 9; used += 1) {
        vi.advanceTimersByTime(50 * 60_000);
        expect(await isAlive()).toBe(true);
      }
      vi.advanceTimersByTime(31 * 60_000);
      expect(await isAlive()).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});

/** Submits the password, and answers where the browser is to go on. */
const signInOnly = async (visitor: PageVisitor, page: VisitedPage): Promise<string> => {
  const action = page.document.querySelector('main form')?.getAttribute('action') ?? '';
  const agent = new Agent({ connect: { ca: issuer.ca } });
  const answer = await fetch(new URL(action, page.url), {
    method: 'POST',
    body: new URLSearchParams(person()),
    headers: {
      origin: page.url.origin,
      cookie: await visitor.cookies.getCookieString(new URL(action, page.url).href),
    },
    redirect: 'manual',
    dispatcher: agent,
  });
  for (const cookie of answer.headers.getSetCookie()) {
    await visitor.cookies.setCookie(cookie, page.url.href);
  }
  await agent.close();
  return answer.headers.get('location') ?? '';
};

const isThisBrowser = (page: VisitedPage, action: string): boolean =>
  page.document
    .querySelectorAll('li')
    .some((entry) => entry.text.includes('This browser') && entry.innerHTML.includes(action));

/** The page with the action of its first form changed. */
const renamed = (page: VisitedPage, action: string): VisitedPage => {
  page.document.querySelector('form[action^="/account/"]')?.setAttribute('action', action);
  return page;
};
