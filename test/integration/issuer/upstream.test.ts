import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { createPageVisitor, type VisitedPage } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  createOidcClient,
  goThroughPages,
  prepareRequest,
  redeem,
} from '../../support/oidc-client.ts';
import { askProvider, chooseProvider } from '../../support/upstream-visitor.ts';

const ALICE = { sub: 'u-1', name: 'Alice', email: 'alice@corp.test', email_verified: true };

let directory: string;
let database: TestDatabase;
let provider: HostileProvider;
let issuer: TestIssuer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'upstream-'));
  database = await createTestDatabase();
  provider = await startHostileProvider();
  await writeFile(join(directory, 'ca.pem'), provider.ca);
  await writeFile(join(directory, 'secret'), `${provider.clientSecret}\n`);
  const shared = {
    type: 'oidc',
    issuer: provider.url,
    client_id: provider.clientId,
    client_secret_path: join(directory, 'secret'),
    certificate_authority_path: join(directory, 'ca.pem'),
  } as const;
  issuer = await startTestIssuer(database, [{ username: 'bob', name: 'Bob' }], {
    connectors: [
      { ...shared, id: 'corp', name: 'Corp', login_hint_domains: ['corp.test'] },
      { ...shared, id: 'other', name: 'Other', require_verified_email: false },
    ],
  });
  for (const id of ['corp', 'other']) {
    provider.registerCallback(`${issuer.issuerUrl}/connectors/${id}/callback`);
  }
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  provider.setPerson(ALICE);
  provider.behave({});
});

/** A browser, and a program that waits for its sign-in. */
const start = async (extraParams: Readonly<Record<string, string>> = {}) => {
  const stack = new AsyncDisposableStack();
  const options = { issuerUrl: issuer.issuerUrl, ca: issuer.ca, clientId: 'hexabase-cli' };
  const client = stack.use(await createOidcClient(options));
  const visitor = stack.use(createPageVisitor(issuer.ca));
  const request = await prepareRequest(client, extraParams);
  return {
    visitor,
    page: await visitor.open(request.url.href),
    confirm: async (page: VisitedPage) =>
      (await redeem(client, request, (await visitor.submit(page, { action: '/confirm' })).url))
        .claims,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};

type Started = Awaited<ReturnType<typeof start>>;

/** The answer of the provider, as an address of ours. */
const answerOf = async ({ visitor, page }: Started, connectorId = 'corp'): Promise<URL> =>
  askProvider(await chooseProvider(visitor, page, connectorId), provider.ca);

const identities = (subject: string) =>
  database.query<{ connector: string; person_id: string }>(
    'SELECT connector, person_id FROM identity WHERE subject = $1 ORDER BY connector',
    [subject],
  );

describe('a sign-in at a provider', () => {
  it('makes the person of the connector and subject, and comes back as them', async () => {
    await using session = await start();
    expect(session.page.text).toContain('Continue with Corp');
    const page = await session.visitor.open((await answerOf(session)).href);
    expect(page.text).toContain('Alice');
    const claims = await session.confirm(page);
    const [identity] = await identities('u-1');
    expect(identity?.connector).toBe('corp');
    expect(claims).toMatchObject({
      sub: formatId('person', identity?.person_id ?? ''),
      email: 'alice@corp.test',
      email_verified: true,
    });
    expect(claims).not.toHaveProperty('amr');
  });

  it('asks with PKCE, state and nonce, at a callback of the connector’s own', async () => {
    await using session = await start();
    const left = await chooseProvider(session.visitor, session.page, 'corp');
    const sent = Object.fromEntries(left.url.searchParams);
    expect(sent).toMatchObject({
      redirect_uri: `${issuer.issuerUrl}/connectors/corp/callback`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      response_type: 'code',
    });
    expect(sent['state']).toMatch(/^interaction~[\w-]+~[\w-]{43}$/);
    expect(sent['nonce']).toMatch(/^[\w-]{43}$/);
    expect(sent).not.toHaveProperty('prompt');
  });

  it('keeps people of two connectors apart, whatever their subject and e-mail address', async () => {
    provider.setPerson({ ...ALICE, sub: 'u-2' });
    for (const connector of ['corp', 'other']) {
      await using session = await start();
      await session.visitor.open((await answerOf(session, connector)).href);
    }
    const [one, two] = await identities('u-2');
    expect([one?.connector, two?.connector]).toEqual(['corp', 'other']);
    expect(one?.person_id).not.toBe(two?.person_id);
  });

  it('refuses an e-mail address that is verified in words only', async () => {
    provider.setPerson({ ...ALICE, sub: 'u-3', email_verified: 'true' as never });
    await using session = await start();
    const page = await session.visitor.open((await answerOf(session)).href);
    expect(page.status).toBe(403);
    expect(page.text).toContain('Your e-mail address is not verified');
    expect(await identities('u-3')).toEqual([]);
    await using lenient = await start();
    const confirm = await lenient.visitor.open((await answerOf(lenient, 'other')).href);
    expect(await lenient.confirm(confirm)).toMatchObject({ email_verified: false });
  });

  it('offers to try again when the provider is down, and then succeeds', async () => {
    provider.behave({ misanswers: { token: 'status 503' } });
    await using session = await start();
    const failed = await session.visitor.open((await answerOf(session)).href);
    expect(failed.status).toBe(502);
    expect(failed.text).toContain('The identity provider does not answer');
    provider.behave({});
    const link = failed.document.querySelector('main a.button')?.getAttribute('href') ?? '';
    const again = { ...session, page: await session.visitor.open(new URL(link, failed.url).href) };
    const left = await chooseProvider(session.visitor, again.page, 'corp');
    expect(left.url.searchParams.get('prompt')).toBe('select_account');
    const page = await session.visitor.open((await askProvider(left, provider.ca)).href);
    expect(await session.confirm(page)).toHaveProperty('sub');
  });

  it('says so when the person said no there', async () => {
    provider.behave({
      answer: (parameters) =>
        new URLSearchParams({
          error: 'access_denied',
          error_description: '<script>alert(1)</script>',
          state: parameters.get('state') ?? '',
          iss: provider.url,
        }),
    });
    await using session = await start();
    const page = await session.visitor.open((await answerOf(session)).href);
    expect(page.status).toBe(403);
    expect(page.text).toContain('You were not signed in there');
    expect(page.document.toString()).not.toContain('alert');
  });
});

describe('an answer that is not this sign-in’s', () => {
  const refused = (page: VisitedPage) => {
    expect(page.left).toBe(false);
    expect(page.status).toBe(400);
    expect(page.text).toMatch(/answer can’t be used|This sign-in has ended/);
  };

  it('is refused in another browser, and still good in its own', async () => {
    await using mine = await start();
    await using theirs = await start();
    const answer = await answerOf(mine);
    refused(await theirs.visitor.open(answer.href));
    await using empty = createPageVisitor(issuer.ca);
    refused(await empty.open(answer.href));
    expect((await mine.visitor.open(answer.href)).text).toContain('Alice');
  });

  it('is refused the second time', async () => {
    await using session = await start();
    const answer = await answerOf(session);
    const uid = answer.searchParams.get('state')?.split('~')[1];
    const cookies = await session.visitor.cookies.serialize();
    expect((await session.visitor.open(answer.href)).status).toBe(200);
    await using thief = createPageVisitor(issuer.ca);
    for (const cookie of cookies.cookies) {
      await thief.cookies.setCookie(
        `${cookie.key}=${cookie.value}; Path=${cookie['path']}; Secure`,
        issuer.issuerUrl,
      );
    }
    refused(
      await thief.open(`${issuer.issuerUrl}/interaction/${uid}/callback/corp${answer.search}`),
    );
  });

  it('is redeemed once of many times at once', async () => {
    await using session = await start();
    const answer = await answerOf(session);
    const tokensBefore = provider.requests.filter((each) => each === 'token').length;
    await Promise.allSettled(Array.from({ length: 16 }, () => session.visitor.open(answer.href)));
    const redeemed = provider.requests.filter((each) => each === 'token').length - tokensBefore;
    expect(redeemed).toBe(1);
  });

  it('is refused at the callback of another connector', async () => {
    await using session = await start();
    const answer = await answerOf(session);
    answer.pathname = answer.pathname.replace('corp', 'other');
    refused(await session.visitor.open(answer.href));
  });

  it.each([
    [
      'another state of the same interaction',
      (answer: URL) =>
        change(answer, 'state', (state) => `${state.slice(0, -43)}${'A'.repeat(43)}`),
    ],
    ['a state of no traveller', (answer: URL) => change(answer, 'state', () => 'x')],
    [
      'a state for an account',
      (answer: URL) => change(answer, 'state', (state) => state.replace('interaction', 'account')),
    ],
    ['a second state', (answer: URL) => append(answer, 'state', 'x')],
    ['a second code', (answer: URL) => append(answer, 'code', 'x')],
    ['another issuer', (answer: URL) => change(answer, 'iss', () => 'https://evil.test')],
    ['no issuer', (answer: URL) => remove(answer, 'iss')],
    ['no code', (answer: URL) => remove(answer, 'code')],
    ['another code', (answer: URL) => change(answer, 'code', () => 'x')],
  ])('is refused with %s', async (_name, spoil) => {
    await using session = await start();
    const page = await session.visitor.open(spoil(await answerOf(session)).href);
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.left).toBe(false);
  });

  it('is refused when the ID token has another nonce', async () => {
    provider.behave({ claims: (claims) => ({ ...claims, nonce: 'another' }) });
    await using session = await start();
    refused(await session.visitor.open((await answerOf(session)).href));
  });

  it('leads nowhere else, whatever its state', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    for (const state of ['//evil.test', 'interaction~..~x', `interaction~a/b~${'A'.repeat(43)}`]) {
      const query = new URLSearchParams({ state, code: 'x' });
      const page = await visitor.open(`${issuer.issuerUrl}/connectors/corp/callback?${query}`);
      expect([page.left, page.status]).toEqual([false, 400]);
    }
    expect((await visitor.open(`${issuer.issuerUrl}/connectors/local/callback`)).status).toBe(404);
    expect((await visitor.open(`${issuer.issuerUrl}/connectors/none/callback`)).status).toBe(404);
  });
});

const change = (url: URL, name: string, to: (value: string) => string): URL => {
  url.searchParams.set(name, to(url.searchParams.get(name) ?? ''));
  return url;
};
const append = (url: URL, name: string, value: string): URL => {
  url.searchParams.append(name, value);
  return url;
};
const remove = (url: URL, name: string): URL => {
  url.searchParams.delete(name);
  return url;
};

describe('a client that knows how its people sign in', () => {
  it.each([
    ['connector_id', { connector_id: 'corp' }],
    ['a login_hint of the connector’s domain', { login_hint: 'alice@corp.test' }],
  ])('skips the choice with %s', async (_name, parameters) => {
    await using session = await start({ ...parameters, prompt: 'login' });
    expect(session.page.left).toBe(true);
    expect(session.page.url.origin).toBe(provider.url);
    expect(session.page.url.searchParams.get('prompt')).toBe('login');
    expect(session.page.url.searchParams.get('login_hint')).toBe(
      'login_hint' in parameters ? parameters.login_hint : null,
    );
    const answer = await askProvider(session.page, provider.ca);
    expect(await session.confirm(await session.visitor.open(answer.href))).toHaveProperty('sub');
  });

  it.each([
    ['an unknown connector', { connector_id: 'none' }],
    ['a login_hint of another domain', { login_hint: 'alice@elsewhere.test' }],
    ['a login_hint with two domains', { login_hint: 'alice@evil.test@corp.test' }],
  ])('is asked with %s', async (_name, parameters) => {
    await using session = await start(parameters);
    expect(session.page.text).toMatch(/Continue with Corp.*Continue with Other/);
  });

  it('gets the form of local accounts by their connector_id', async () => {
    await using session = await start({ connector_id: 'local' });
    expect(session.page.text).not.toContain('Corp');
    const confirm = await session.visitor.submit(session.page, {
      having: 'password',
      fields: { username: 'bob', password: TEST_PASSWORD },
    });
    expect(await session.confirm(confirm)).toMatchObject({ name: 'Bob' });
  });

  it('has another account chosen with prompt=select_account, session or not', async () => {
    await using session = await start();
    await goThroughPages(session.visitor, session.page, {
      username: 'bob',
      password: TEST_PASSWORD,
    });
    await using second = await start({ prompt: 'select_account' });
    expect(second.page.text).toContain('Continue with Corp');
    const left = await chooseProvider(second.visitor, second.page, 'corp');
    expect(left.url.searchParams.get('prompt')).toBe('select_account');
    const page = await second.visitor.open((await askProvider(left, provider.ca)).href);
    expect(await second.confirm(page)).toMatchObject({ name: 'Alice' });
  });
});
