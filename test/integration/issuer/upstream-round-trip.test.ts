import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackOf } from '../../../issuer/connectors/registry.ts';
import type { VisitedPage } from '../../../quickstart/page-visitor.ts';
import { expectRefusal } from '../../support/refusals.ts';
import {
  answerOf,
  type Departure,
  startTwoProviders,
  type TwoProviders,
} from '../../support/upstream.ts';

let database: TwoProviders['database'];
let acme: TwoProviders['acme'];
let other: TwoProviders['other'];
let issuer: TwoProviders['issuer'];
let world: TwoProviders;

beforeAll(async () => {
  world = await startTwoProviders();
  ({ database, acme, other, issuer } = world);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Follows the link that ends so. */
const follow = ({ visitor }: Departure, page: VisitedPage, end: string): Promise<VisitedPage> => {
  const hrefs = page.document.querySelectorAll('a').map((link) => link.getAttribute('href') ?? '');
  const href = hrefs.find((each) => each.endsWith(end));
  if (href === undefined) throw new Error(`no link …${end} on: ${page.text}`);
  return visitor.open(new URL(href, page.url).href);
};

const countTokens = (): number => acme.requests.filter((each) => each === 'token').length;

const countPeople = async (subject: string): Promise<{ people: number; organizations: number }> => {
  const [row] = await database.query<{ people: number; organizations: number }>(
    `SELECT count(DISTINCT i.person_id)::int AS people, count(DISTINCT o.id)::int AS organizations
     FROM identity i LEFT JOIN organization o ON o.personal_for = i.person_id WHERE i.subject = $1`,
    [subject],
  );
  return row ?? { people: 0, organizations: 0 };
};

describe('a sign-in at a provider', () => {
  it('gives tokens and a private organization, and is the same person the second time', async () => {
    acme.setPerson({ sub: 'first', name: 'Ann', email: 'ann@example.test', email_verified: true });
    const first = await issuer.signIn('acme');
    expect(first.claims).toMatchObject({ name: 'Ann', email: 'ann@example.test' });
    acme.setPerson({
      sub: 'first',
      name: 'Ann Other',
      email: 'b@example.test',
      email_verified: true,
    });
    const second = await issuer.signIn('acme');
    expect(second.claims).toMatchObject({ sub: first.claims['sub'], name: 'Ann Other' });
    expect(await countPeople('first')).toEqual({ people: 1, organizations: 1 });
  });

  it('is another person at another provider, whatever subject and e-mail address it says', async () => {
    const person = { sub: 'same', name: 'Sam', email: 'sam@example.test', email_verified: true };
    acme.setPerson(person);
    other.setPerson(person);
    const [here, there] = [await issuer.signIn('acme'), await issuer.signIn('other')];
    expect(here.claims['sub']).not.toBe(there.claims['sub']);
    expect(await countPeople('same')).toEqual({ people: 2, organizations: 2 });
  });

  it('asks with PKCE, a nonce, and a redirect address of the connector’s own', async () => {
    const { url } = await issuer.depart('acme');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^interaction~[\w-]+~[\w-]{43}$/),
      redirect_uri: callbackOf(issuer.issuerUrl, 'acme'),
    });
    const again = await issuer.depart('acme');
    for (const name of ['code_challenge', 'nonce', 'state']) {
      expect(again.url.searchParams.get(name)).not.toBe(url.searchParams.get(name));
    }
  });

  it('of one new person in 64 browsers at once makes one person with one organization', async () => {
    acme.setPerson({ sub: 'many', name: 'Many', email: 'm@example.test', email_verified: true });
    const departures = await Promise.all(Array.from({ length: 64 }, () => issuer.depart('acme')));
    const answers = await Promise.all(departures.map(({ url }) => answerOf(acme, url)));
    const tokens = await Promise.all(
      departures.map((departure, index) => issuer.arrive(departure, answers[index] as URL)),
    );
    expect(new Set(tokens.map(({ claims }) => claims['sub'])).size).toBe(1);
    expect(await countPeople('many')).toEqual({ people: 1, organizations: 1 });
  });
});

describe('an answer that comes twice', () => {
  it('counts once, also in 16 requests at once', async () => {
    acme.setPerson({ sub: 'twice', name: 'T', email: 't@example.test', email_verified: true });
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(acme, url);
    const asked = countTokens();
    const pages = await Promise.all(
      Array.from({ length: 16 }, () => visitor.open(answer.href).catch(() => undefined)),
    );
    expect(countTokens()).toBe(asked + 1);
    expect(pages.filter((page) => page?.status === 200)).toHaveLength(1);
  });

  it('after a refusal is refused, although the sign-in may start anew', async () => {
    const departure = await issuer.depart('acme');
    const answer = await answerOf(acme, departure.url);
    acme.behave({ claims: (claims) => ({ ...claims, nonce: 'other' }) });
    expectRefusal(await departure.visitor.open(answer.href), 400, 'upstream_invalid');
    acme.behave({});
    const replayed = await departure.visitor.open(answer.href);
    expectRefusal(replayed, 400, 'upstream_invalid');
    const choice = await follow(departure, replayed, '/switch');
    const again = await follow(departure, choice, '/sign-in/acme?account=select');
    expect(again).toMatchObject({ left: true, url: { origin: acme.url, pathname: '/authorize' } });
    const tokens = await issuer.arrive(departure, await answerOf(acme, again.url));
    expect(tokens.claims['name']).toBe('T');
  });

  it('after the sign-in has ended is refused', async () => {
    const departure = await issuer.depart('acme');
    const answer = await answerOf(acme, departure.url);
    await issuer.arrive(departure, answer);
    expectRefusal(await departure.visitor.open(answer.href), 400, 'expired');
  });

  it('ten minutes later is refused', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(acme, url);
    await database.query(
      `UPDATE oidc_artifact SET expires_at = now() - interval '2 minutes' WHERE model = 'UpstreamRequest'`,
    );
    expectRefusal(await visitor.open(answer.href), 400, 'upstream_invalid');
  });
});
