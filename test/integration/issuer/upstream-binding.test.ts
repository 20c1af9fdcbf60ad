import { Cookie } from 'tough-cookie';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackOf } from '../../../issuer/connectors/registry.ts';
import type { PageVisitor } from '../../../quickstart/page-visitor.ts';
import { TEST_PASSWORD } from '../../support/issuer.ts';
import { goThroughPages } from '../../support/oidc-client.ts';
import { expectRefusal } from '../../support/refusals.ts';
import { answerOf, startTwoProviders, type TwoProviders } from '../../support/upstream.ts';

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

const withParameter = (url: URL, name: string, value: string): URL => {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed;
};

/** The interaction that a departure belongs to, as its `state` says. */
const interactionOf = (departure: URL): string =>
  departure.searchParams.get('state')?.split('~')[1] ?? '';

const listIdentities = () =>
  database.query('SELECT connector, subject, person_id FROM identity ORDER BY 1, 2');

const countPeople = async (): Promise<number> =>
  (await database.query('SELECT id FROM person')).length;

/** Whether the account pages show a browser somebody's sessions. */
const isSignedIn = async (visitor: PageVisitor): Promise<boolean> => {
  const { url } = await visitor.open(`${issuer.issuerUrl}/account/sessions`);
  return url.pathname === '/account/sessions';
};

const countTokens = (): number => acme.requests.filter((each) => each === 'token').length;

describe('an answer that isn’t for this browser and this sign-in', () => {
  it('with a state that we never gave is refused', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(acme, url);
    const state = url.searchParams.get('state') ?? '';
    const forged = `${state.slice(0, -43)}${'A'.repeat(43)}`;
    for (const value of [forged, '', 'x', `${state}x`]) {
      const page = await visitor.open(withParameter(answer, 'state', value).href);
      expectRefusal(page, 400, 'upstream_invalid');
    }
    const twice = new URL(answer);
    twice.searchParams.append('state', state);
    expectRefusal(await visitor.open(twice.href), 400, 'upstream_invalid');
  });

  it('with a state of the other purpose signs nobody in, and makes nobody', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(acme, url);
    const state = (url.searchParams.get('state') ?? '').replace('interaction', 'account');
    const [asked, people] = [countTokens(), await countPeople()];
    const forged = withParameter(answer, 'state', state);
    // Without a session the account pages ask who it is; the answer is forgotten.
    await visitor.open(forged.href);
    expect(await isSignedIn(visitor)).toBe(false);
    expect([countTokens(), await countPeople()]).toEqual([asked, people]);
    // With one they know that the answer isn't this person's.
    await goThroughPages(visitor, await visitor.open(`${issuer.issuerUrl}/account/sessions`), {
      username: 'local',
      password: TEST_PASSWORD,
    });
    expect(await isSignedIn(visitor)).toBe(true);
    const own = [...(await listIdentities())];
    expectRefusal(await visitor.open(forged.href), 400, 'upstream_invalid');
    expect([countTokens(), await listIdentities()]).toEqual([asked, own]);
  });

  it('that came in another browser is refused, and helps neither (login CSRF)', async () => {
    const attacker = await issuer.depart('acme');
    const answer = await answerOf(acme, attacker.url);
    await using victim = issuer.createHomebody();
    expectRefusal(await victim.open(answer.href), 400, 'expired');
    const underWay = await issuer.depart('acme');
    expectRefusal(await underWay.visitor.open(answer.href), 400, 'expired');
    expect((await issuer.arrive(attacker, answer)).claims['sub']).toMatch(/^\w+$/);
  });

  it('with another browser’s code under one’s own state is refused (code injection)', async () => {
    const [mine, theirs] = [await issuer.depart('acme'), await issuer.depart('acme')];
    const stolen = await answerOf(acme, theirs.url);
    const injected = withParameter(stolen, 'state', mine.url.searchParams.get('state') ?? '');
    expectRefusal(await mine.visitor.open(injected.href), 400, 'upstream_invalid');
  });

  it('at the interaction’s own address, past the callback, is refused too', async () => {
    const [mine, theirs] = [await issuer.depart('acme'), await issuer.depart('acme')];
    const asked = countTokens();
    const answer = await answerOf(acme, theirs.url);
    const path = `/interaction/${interactionOf(mine.url)}/callback/acme`;
    const direct = new URL(`${path}${answer.search}`, issuer.issuerUrl);
    expectRefusal(await mine.visitor.open(direct.href), 400, 'upstream_invalid');
    const other = new URL(direct);
    other.pathname = path.replace(/acme$/, 'other');
    expectRefusal(await mine.visitor.open(other.href), 400, 'upstream_invalid');
    expect(countTokens()).toBe(asked);
  });

  it('at another interaction’s address, with one’s own interaction’s cookie, is refused', async () => {
    const [mine, theirs] = [await issuer.depart('acme'), await issuer.depart('acme')];
    const path = `/interaction/${interactionOf(theirs.url)}`;
    const jar = await mine.visitor.cookies.getCookies(
      `${issuer.issuerUrl}/interaction/${interactionOf(mine.url)}`,
    );
    for (const cookie of jar) {
      const { key, value } = cookie;
      const copy = new Cookie({ key, value, path, secure: true });
      await mine.visitor.cookies.setCookie(copy, `${issuer.issuerUrl}${path}`);
    }
    const answer = await answerOf(acme, theirs.url);
    expectRefusal(await mine.visitor.open(answer.href), 400, 'expired');
    expect((await issuer.arrive(theirs, answer)).claims['sub']).toMatch(/^\w+$/);
  });

  it('at the callback of another connector is refused (mix-up)', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(acme, url);
    const asked = other.requests.length;
    const swapped = new URL(answer.href.replace('/connectors/acme/', '/connectors/other/'));
    expectRefusal(await visitor.open(swapped.href), 400, 'upstream_invalid');
    swapped.searchParams.set('iss', other.url);
    expectRefusal(await visitor.open(swapped.href), 400, 'upstream_invalid');
    expect(other.requests.slice(asked)).toEqual([]);
  });

  it('of a provider that passes the browser on to another one is refused (mix-up)', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const passedOn = new URL(url.href.replace(acme.url, other.url));
    passedOn.searchParams.set('redirect_uri', callbackOf(issuer.issuerUrl, 'other'));
    const answer = await answerOf(other, passedOn);
    expectRefusal(await visitor.open(answer.href), 400, 'upstream_invalid');
    const relayed = new URL(answer.href.replace('/connectors/other/', '/connectors/acme/'));
    expectRefusal(await visitor.open(relayed.href), 400, 'upstream_invalid');
  });

  it('of a connector that isn’t there, or has passwords, finds nothing', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(acme, url);
    for (const id of ['local', 'nobody', '__proto__', '..%2facme']) {
      const page = await visitor.open(
        answer.href.replace('/connectors/acme/', `/connectors/${id}/`),
      );
      expect(page.left).toBe(false);
      expect([400, 404]).toContain(page.status);
    }
  });
});
