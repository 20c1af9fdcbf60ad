import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callbackOf } from '../../../issuer/connectors/registry.ts';
import type { PageVisitor, VisitedPage } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { TEST_PASSWORD } from '../../support/issuer.ts';
import {
  createOidcClient,
  goThroughPages,
  prepareRequest,
  redeem,
} from '../../support/oidc-client.ts';
import {
  ANY_CLIENT,
  answerOf,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';

let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, {
    corp: oidcConnector(provider, { name: 'Corp', login_hint_domains: ['corp.test'] }),
    other: oidcConnector(provider, { name: 'Other' }),
  });
});
afterAll(async () => {
  for (const each of [issuer, provider, database]) await each?.[Symbol.asyncDispose]();
});
beforeEach(() => provider.behave({}));

/** Opens an authorization request in a browser that stays with the issuer. */
const start = async (
  parameters: Readonly<Record<string, string>> = {},
  visitor: PageVisitor = issuer.createHomebody(),
) => {
  await using client = await createOidcClient({ ...issuer, clientId: ANY_CLIENT });
  const request = await prepareRequest(client, parameters);
  const page = await visitor.open(request.url.href);
  const confirm = async (confirmation: VisitedPage) => {
    const end = await visitor.submit(confirmation, { action: '/confirm' });
    await using again = await createOidcClient({ ...issuer, clientId: ANY_CLIENT });
    return (await redeem(again, request, end.url)).claims;
  };
  return { visitor, page, confirm };
};

const follow = (visitor: PageVisitor, page: VisitedPage, part: string): Promise<VisitedPage> => {
  const hrefs = page.document.querySelectorAll('a').map((link) => link.getAttribute('href') ?? '');
  const href = hrefs.find((each) => each.includes(part));
  if (href === undefined) throw new Error(`no link with ${part} on: ${page.text}`);
  return visitor.open(new URL(href, page.url).href);
};

const LOCAL = { username: 'local', password: TEST_PASSWORD };

describe('a client that knows how its people sign in', () => {
  it.each([
    ['connector_id', { connector_id: 'corp' }, null],
    ['a login_hint of the connector’s domain', { login_hint: 'a@corp.test' }, 'a@corp.test'],
  ])('skips the choice with %s', async (_name, parameters, hint) => {
    const { visitor, page, confirm } = await start({ ...parameters, prompt: 'login' });
    expect([page.left, page.url.origin]).toEqual([true, provider.url]);
    const sent = page.url.searchParams;
    expect(sent.get('redirect_uri')).toBe(callbackOf(issuer.issuerUrl, 'corp'));
    expect([sent.get('prompt'), sent.get('login_hint')]).toEqual(['login', hint]);
    const confirmation = await visitor.open((await answerOf(provider, page.url)).href);
    expect(await confirm(confirmation)).toMatchObject({ name: 'Alice' });
  });

  it.each([
    ['nothing', {}],
    ['an unknown connector', { connector_id: 'none' }],
    ['a login_hint of another domain', { login_hint: 'a@elsewhere.test' }],
    ['a login_hint with two domains', { login_hint: 'a@evil.test@corp.test' }],
  ])('is offered all with %s', async (_name, parameters) => {
    const { page } = await start(parameters);
    expect(page.text).toMatch(/Continue with Corp.*Continue with Other/);
    expect(page.document.querySelector('[name=password]')).not.toBeNull();
  });

  it('gets the form of local accounts by their connector_id', async () => {
    const { visitor, page, confirm } = await start({ connector_id: 'local' });
    expect(page.text).not.toContain('Corp');
    const confirmation = await visitor.submit(page, { having: 'password', fields: LOCAL });
    expect(await confirm(confirmation)).toMatchObject({ name: 'local' });
  });

  it('has another account chosen with prompt=select_account, although there is a session', async () => {
    const first = await start();
    await goThroughPages(first.visitor, first.page, LOCAL);
    const { visitor, page, confirm } = await start({ prompt: 'select_account' }, first.visitor);
    const left = await follow(visitor, page, '/sign-in/corp');
    expect(left.url.searchParams.get('prompt')).toBe('select_account');
    const confirmation = await visitor.open((await answerOf(provider, left.url)).href);
    expect(await confirm(confirmation)).toMatchObject({ name: 'Alice' });
  });
});

describe('a sign-in that came to nothing', () => {
  it('can be tried again, also with another account, and in another language', async () => {
    provider.behave({ misanswers: { token: 'status 503' } });
    const { visitor, page, confirm } = await start({ connector_id: 'corp' });
    const failed = await visitor.open((await answerOf(provider, page.url)).href);
    expect([failed.status, failed.text]).toEqual([
      502,
      expect.stringContaining('The identity provider does not answer'),
    ]);
    provider.behave({});
    const address = failed.document.querySelector('.languages [name=address]');
    expect(address?.getAttribute('value')).toMatch(/^\/interaction\/[\w-]+\/switch$/);
    const choice = await follow(visitor, failed, '/switch');
    const left = await follow(visitor, choice, '/sign-in/corp');
    expect(left.url.searchParams.get('prompt')).toBe('select_account');
    const confirmation = await visitor.open((await answerOf(provider, left.url)).href);
    expect(await confirm(confirmation)).toMatchObject({ name: 'Alice' });
  });
});

describe('the address to which providers send people back', () => {
  it.each([
    ['another site', '//evil.test'],
    ['another path', 'interaction~..~x'],
    ['a path in the middle', `interaction~a/b~${'A'.repeat(43)}`],
    ['another purpose', `device~abc~${'A'.repeat(43)}`],
  ])('leads nowhere for a state with %s', async (_name, state) => {
    const query = new URLSearchParams({ state, code: 'x' });
    const address = `${callbackOf(issuer.issuerUrl, 'corp')}?${query}`;
    const page = await issuer.createHomebody().open(address);
    expect([page.left, page.status, page.url.pathname]).toEqual([
      false,
      400,
      '/connectors/corp/callback',
    ]);
  });

  it('doesn’t let an answer for someone’s account end a sign-in', async () => {
    const { visitor, page } = await start({ connector_id: 'corp' });
    const answer = await answerOf(provider, page.url);
    const uid = answer.searchParams.get('state')?.split('~')[1];
    const state = answer.searchParams.get('state')?.replace('interaction', 'account') ?? '';
    answer.searchParams.set('state', state);
    const path = `${issuer.issuerUrl}/interaction/${uid}/callback/corp${answer.search}`;
    expect((await visitor.open(path)).status).toBe(400);
  });
});
