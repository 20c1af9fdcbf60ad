/** The account page of ways to sign in: linking another connector, and taking one away. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { unlinkIdentity } from '../../../issuer/account/identities.ts';
import { hashPassword } from '../../../issuer/connectors/local.ts';
import {
  createPageVisitor,
  type PageVisitor,
  type VisitedPage,
} from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { goThroughPages, refresh, signInWithCode } from '../../support/oidc-client.ts';
import { answerOf } from '../../support/upstream.ts';

const METHODS = '/account/sign-in-methods';
const LINK_CORP = `${METHODS}/corp/link`;

let directory: string;
let stack: AsyncDisposableStack;
let database: TestDatabase;
let provider: HostileProvider;
let issuer: TestIssuer;
let browser: PageVisitor;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), 'account-'));
  stack.defer(() => rm(directory, { recursive: true }));
  database = stack.use(await createTestDatabase());
  provider = stack.use(await startHostileProvider());
  await writeFile(join(directory, 'ca.pem'), provider.ca);
  await writeFile(join(directory, 'secret'), `${provider.clientSecret}\n`);
  const corp = {
    type: 'oidc' as const,
    id: 'corp',
    name: 'Corp',
    issuer: provider.url,
    client_id: provider.clientId,
    client_secret_path: join(directory, 'secret'),
    certificate_authority_path: join(directory, 'ca.pem'),
    allowed_email_domains: ['corp.test'],
  };
  const accounts = ['alice', 'bob', 'carol'].map((username) => ({ username }));
  const password_hash = await hashPassword(TEST_PASSWORD, { N: 1024, r: 8, p: 1 });
  const staff = (id: string, rules: object) => ({
    ...{ type: 'local' as const, id, name: id, ...rules },
    accounts: ['erin', 'frank'].map((name) => ({ subject: name, username: name, password_hash })),
  });
  issuer = stack.use(
    await startTestIssuer(database, accounts, {
      connectors: [
        corp,
        staff('alone', { linking: false }),
        staff('invited', { sign_up: 'invited' }),
      ],
    }),
  );
  provider.registerCallback(`${issuer.issuerUrl}/connectors/corp/callback`);
});
beforeEach(async () => {
  await database.query('DELETE FROM identity');
  await database.query('DELETE FROM audit_event');
  asPersonAtCorp('a-1');
  browser = createPageVisitor(issuer.ca);
  return () => browser[Symbol.asyncDispose]();
});
afterAll(() => stack.disposeAsync());

const asPersonAtCorp = (sub: string, email = 'someone@corp.test') =>
  provider.setPerson({ sub, name: sub, email, email_verified: true });
const open = async (username: string, visitor = browser): Promise<VisitedPage> =>
  goThroughPages(visitor, await visitor.open(`${issuer.issuerUrl}${METHODS}`), {
    username,
    password: TEST_PASSWORD,
  });
/** Where the provider sends the browser back to, of whoever begins to link. */
const answerOfCorp = async (page: VisitedPage, visitor = browser): Promise<string> => {
  const step = await visitor.submit(page, { action: LINK_CORP });
  const href = step.document.querySelector('a[href^="https://"]')?.getAttribute('href') ?? '';
  const url = new URL(href.replaceAll('&amp;', '&'));
  return (await answerOf(provider, url)).href;
};
const linkCorp = async (username: string, visitor = browser) =>
  visitor.open(await answerOfCorp(await open(username, visitor), visitor));
const identities = () =>
  database.query<{ connector: string; subject: string; person_id: string }>(
    'SELECT connector, subject, person_id FROM identity ORDER BY connector DESC, subject',
  );

describe('linking a provider', () => {
  it('makes it one more way in for the same person, and is on the record', async () => {
    const page = await linkCorp('alice');
    expect([page.status, page.url.pathname]).toEqual([200, METHODS]);
    expect(page.text).toContain('Corp');
    const [local, corp] = await identities();
    expect([local?.connector, corp?.connector, corp?.subject]).toEqual(['local', 'corp', 'a-1']);
    expect(corp?.person_id).toBe(local?.person_id);
    const rows = await database.query(
      `SELECT e.after, e.actor_id FROM audit_event e JOIN organization o ON o.id = e.organization_id
      WHERE e.action = 'identity.link' AND o.personal_for = e.actor_id`,
    );
    expect(rows).toEqual([
      { after: { connector: 'corp', subject: 'a-1' }, actor_id: local?.person_id },
    ]);
  });

  it('takes nothing from someone else whose way in it is', async () => {
    await linkCorp('bob');
    await using other = createPageVisitor(issuer.ca);
    const before = await identities();
    const page = await linkCorp('alice', other);
    expect(page.status).toBe(409);
    expect(page.text).toContain('belongs to someone else');
    expect((await identities()).filter(({ subject }) => subject === 'a-1')).toEqual(
      before.filter(({ subject }) => subject === 'a-1'),
    );
  });

  it('is finished only in the browser in which it was begun, and once', async () => {
    const answer = await answerOfCorp(await open('alice'));
    await using other = createPageVisitor(issuer.ca);
    await open('bob', other);
    expect((await other.open(answer)).status).toBe(400);
    expect((await identities()).map(({ connector }) => connector)).not.toContain('corp');
    expect((await browser.open(answer)).status).toBe(200);
    expect((await browser.open(answer)).status).toBe(400);
  });

  it('is no sign-in, and a sign-in’s answer links nothing', async () => {
    const answer = new URL(await answerOfCorp(await open('alice')));
    const state = answer.searchParams.get('state') ?? '';
    answer.searchParams.set('state', state.replace(/^account~/, 'interaction~'));
    expect((await browser.open(answer.href)).status).toBe(400);
    expect((await identities()).map(({ connector }) => connector)).toEqual(['local']);
  });

  it('holds to the connector’s rules', async () => {
    asPersonAtCorp('a-1', 'someone@elsewhere.test');
    expect((await linkCorp('alice')).status).toBe(403);
    expect((await identities()).map(({ connector }) => connector)).toEqual(['local']);
  });

  it('asks for a sign-in again when the last one is more than five minutes ago', async () => {
    const page = await open('alice');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    try {
      const asked = await browser.submit(page, { action: LINK_CORP });
      expect(asked.document.querySelector('input[name=password]')).not.toBeNull();
      const back = await goThroughPages(browser, asked, {
        username: 'alice',
        password: TEST_PASSWORD,
      });
      expect(back.url.pathname).toBe(METHODS);
      expect((await browser.submit(back, { action: LINK_CORP })).text).toContain('Continue with');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is begun by no other site', async () => {
    const page = await open('alice');
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await browser.submit(page, { action: LINK_CORP, headers })).status).toBe(403);
  });
});

describe('name and e-mail', () => {
  const profile = async () => {
    const [row] = await database.query<{ display_name: string; email: string | null }>(
      `SELECT p.display_name, p.email FROM person p
      WHERE p.id IN (SELECT person_id FROM identity)`,
    );
    return [row?.display_name, row?.email];
  };
  const signInAtCorp = async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const offer = await visitor.open(`${issuer.issuerUrl}${METHODS}`);
    const path = offer.document.querySelector('a[href$="/corp"]')?.getAttribute('href') ?? 'none';
    const { url } = await visitor.open(new URL(path, offer.url).href);
    await visitor.open((await answerOf(provider, url)).href);
  };

  it('stay those of the first identity when another is linked and used', async () => {
    await linkCorp('alice');
    await signInAtCorp();
    expect(await profile()).toEqual(['alice', null]);
  });

  it('are those of the oldest identity left once the first is taken away', async () => {
    await linkCorp('alice');
    await browser.submit(await open('alice'), {
      action: '/unlink',
      fields: { connector: 'local', subject: 'alice' },
    });
    await signInAtCorp();
    expect(await profile()).toEqual(['a-1', 'someone@corp.test']);
  });
});

describe('linking by password', () => {
  it('takes the right one only', async () => {
    const page = await open('alice');
    const form = await browser.submit(page, { action: `${METHODS}/local/link` });
    const wrong = await browser.submit(form, {
      fields: { username: 'carol', password: 'a guess' },
    });
    expect([wrong.status, (await identities()).length]).toEqual([401, 1]);
    const right = await browser.submit(wrong, {
      having: 'password',
      fields: { username: 'carol', password: TEST_PASSWORD },
    });
    expect(right.url.pathname).toBe(METHODS);
    expect((await identities()).map(({ subject }) => subject)).toEqual(['alice', 'carol']);
  });
});

describe('a connector’s rules about linking', () => {
  /** Submits a form to an address that the page may not offer. */
  const submitTo = async (action: string, fields = {}) => {
    const page = await open('alice');
    page.document.querySelector('form[action$="/local/link"]')?.setAttribute('action', action);
    return browser.submit(page, { action, fields });
  };
  const linkByPassword = (connector: string, username: string) =>
    submitTo(`${METHODS}/${connector}/password`, { username, password: TEST_PASSWORD });

  it('can leave its accounts to people of their own', async () => {
    const page = await open('alice');
    expect(page.document.querySelector(`form[action="${METHODS}/invited/link"]`)).not.toBeNull();
    expect(page.document.querySelector(`form[action="${METHODS}/alone/link"]`)).toBeNull();
    expect((await submitTo(`${METHODS}/alone/link`)).status).toBe(404);
    expect((await linkByPassword('alone', 'erin')).status).toBe(404);
    expect((await identities()).map(({ connector }) => connector)).toEqual(['local']);
  });

  it('let nobody link who wasn’t invited, and an invitation is its owner’s', async () => {
    expect((await linkByPassword('invited', 'erin')).status).toBe(403);
    expect((await identities()).map(({ connector }) => connector)).toEqual(['local']);
    await database.query(
      `INSERT INTO identity (connector, subject, person_id)
      SELECT 'invited', 'frank', person_id FROM identity WHERE subject = 'alice'`,
    );
    expect((await linkByPassword('invited', 'frank')).url.pathname).toBe(METHODS);
  });
});

describe('taking a way to sign in away', () => {
  it('ends that way in, and leaves the last one', async () => {
    await linkCorp('alice');
    const page = await open('alice');
    const after = await browser.submit(page, {
      action: '/unlink',
      fields: { connector: 'corp', subject: 'a-1' },
    });
    expect(after.text).toContain('Add another way before you remove this one');
    expect((await identities()).map(({ connector }) => connector)).toEqual(['local']);
    const last = await browser.submit(page, {
      action: '/unlink',
      fields: { connector: 'local', subject: 'alice' },
    });
    expect([last.status, (await identities()).length]).toEqual([409, 1]);
    const rows = await database.query(
      `SELECT before FROM audit_event WHERE action = 'identity.unlink'`,
    );
    expect(rows).toEqual([{ before: { connector: 'corp', subject: 'a-1' } }]);
  });

  it('ends the sign-ins in other browsers and programs, and not this browser’s', async () => {
    await linkCorp('alice');
    await using stranger = createPageVisitor(issuer.ca);
    await open('alice', stranger);
    const terminal = { ...issuer, clientId: 'hexabase-cli', password: TEST_PASSWORD };
    const theirs = await signInWithCode({ ...terminal, username: 'alice' });
    const others = await signInWithCode({ ...terminal, username: 'bob' });
    const own = await signInWithCode({ ...terminal, username: 'alice', visitor: browser });
    const page = await open('alice');
    expect(page.text).toContain('ends all your other sign-ins');
    await browser.submit(page, { action: '/unlink', fields: { connector: 'no', subject: 'a-1' } });
    const renewed = await refresh({ ...terminal, refreshToken: own.refresh_token });
    expect((await stranger.open(page.url.href)).url.pathname).toBe(METHODS);
    await browser.submit(page, {
      action: '/unlink',
      fields: { connector: 'corp', subject: 'a-1' },
    });
    expect((await browser.open(page.url.href)).url.pathname).toBe(METHODS);
    expect((await stranger.open(page.url.href)).url.pathname).not.toBe(METHODS);
    const renew = ({ refresh_token: refreshToken }: typeof own) =>
      refresh({ ...terminal, refreshToken });
    await expect(renew(theirs)).rejects.toMatchObject({ error: 'invalid_grant' });
    await renew(renewed);
    await renew(others);
  });

  it('touches nobody else’s', async () => {
    await linkCorp('alice');
    const page = await open('alice');
    await using other = createPageVisitor(issuer.ca);
    await open('bob', other);
    const answer = await other.submit(page, {
      action: '/unlink',
      fields: { connector: 'corp', subject: 'a-1' },
    });
    expect([answer.status, (await identities()).length]).toEqual([404, 3]);
  });

  it('leaves one when all are taken at once, and one of a connector that there is', async () => {
    await linkCorp('alice');
    const [{ person_id: personId = '' } = {}] = await identities();
    const take = (connector: string, subject: string, ids = ['local', 'corp']) =>
      issuer.database.transaction((transaction) =>
        unlinkIdentity(
          transaction,
          { key: { connector, subject }, connectors: new Set(ids) },
          { personId, context: { requestId: 'test-request', ip: '127.0.0.1' } },
        ),
      );
    expect(await take('local', 'alice', ['local'])).toBe('last');
    const outcomes = await Promise.all([take('local', 'alice'), take('corp', 'a-1')]);
    expect(outcomes.toSorted()).toEqual(['last', 'unlinked']);
    expect(await identities()).toHaveLength(1);
  });
});
