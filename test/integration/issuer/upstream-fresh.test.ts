/** Where credentials are to be asked for again, a provider's older sign-in doesn't do. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { TEST_PASSWORD } from '../../support/issuer.ts';
import { createOidcClient, goThroughPages, prepareRequest } from '../../support/oidc-client.ts';
import { expectRefusal } from '../../support/refusals.ts';
import {
  ANY_CLIENT,
  answerOf,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';

const METHODS = '/account/sign-in-methods';

let database: TestDatabase;
let acme: HostileProvider;
let issuer: UpstreamIssuer;

beforeAll(async () => {
  database = await createTestDatabase();
  acme = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, { acme: oidcConnector(acme) });
});
beforeEach(() => acme.behave({}));
afterAll(async () => {
  for (const each of [issuer, acme, database]) await each?.[Symbol.asyncDispose]();
});

/** The provider's sign-in was so many seconds ago, as it says. */
const signedInAgo = (seconds: number): void =>
  acme.behave({
    claims: (claims) => ({ ...claims, auth_time: Math.floor(Date.now() / 1000) - seconds }),
  });

/** Goes to the provider and back, with these parameters. */
const signInWith = async (parameters: Readonly<Record<string, string>>) => {
  await using client = await createOidcClient({ ...issuer, clientId: ANY_CLIENT });
  await using visitor = issuer.createHomebody();
  const { url } = await prepareRequest(client);
  for (const [name, value] of Object.entries({ connector_id: 'acme', ...parameters })) {
    url.searchParams.set(name, value);
  }
  const departure = await visitor.open(url.href);
  expect(departure.left).toBe(true);
  const page = await visitor.open((await answerOf(acme, departure.url)).href);
  return { departure: departure.url.searchParams, page };
};

describe('a sign-in that asks for credentials again', () => {
  it.each([
    ['prompt', 'login'],
    ['max_age', '0'],
  ])('by %s=%s refuses an older one', async (name, value) => {
    signedInAgo(330);
    const { departure, page } = await signInWith({ [name]: value });
    expect([departure.get('prompt'), departure.get('max_age')]).toEqual(['login', '300']);
    expectRefusal(page, 403, 'upstream_stale');
  });

  it('takes a new one, and one of which the provider says nothing', async () => {
    signedInAgo(20);
    expect((await signInWith({ prompt: 'login' })).page.status).toBe(200);
    acme.behave({});
    expect((await signInWith({ prompt: 'login' })).page.status).toBe(200);
  });

  it('is needed only where it was asked for', async () => {
    signedInAgo(100_000);
    const { departure, page } = await signInWith({});
    expect([departure.get('prompt'), departure.get('max_age')]).toEqual([null, null]);
    expect(page.status).toBe(200);
  });
});

describe('linking', () => {
  it('needs a new sign-in at the provider', async () => {
    await using visitor = issuer.createHomebody();
    const link = async () => {
      const page = await goThroughPages(
        visitor,
        await visitor.open(`${issuer.issuerUrl}${METHODS}`),
        {
          username: 'local',
          password: TEST_PASSWORD,
        },
      );
      const step = await visitor.submit(page, { action: `${METHODS}/acme/link` });
      const href = step.document.querySelector('a[href^="https://"]')?.getAttribute('href') ?? '';
      const url = new URL(href.replaceAll('&amp;', '&'));
      expect([url.searchParams.get('prompt'), url.searchParams.get('max_age')]).toEqual([
        'login select_account',
        '300',
      ]);
      return visitor.open((await answerOf(acme, url)).href);
    };
    const subject = { sub: 'linked', name: 'L', email: 'l@example.test', email_verified: true };
    acme.setPerson(subject);
    signedInAgo(330);
    expectRefusal(await link(), 403, 'upstream_stale');
    const rows = () => database.query("SELECT subject FROM identity WHERE subject = 'linked'");
    expect(await rows()).toEqual([]);
    signedInAgo(3);
    expect((await link()).url.pathname).toBe(METHODS);
    expect(await rows()).toHaveLength(1);
  });
});
