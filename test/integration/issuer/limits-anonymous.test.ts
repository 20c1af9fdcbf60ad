/** What anyone can ask for without signing in takes nothing from others, and is stored only so often. */
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RULES, type Rules } from '../../../issuer/limits/rules.ts';
import { MAX_PARAMETER, MAX_STATE } from '../../../issuer/protocol/parameters.ts';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  createOidcClient,
  goThroughPages,
  prepareRequest,
  signInWithCode,
} from '../../support/oidc-client.ts';
import { createWorkspace } from './tenancy-rows.ts';

const CLIENT = 'hexabase-cli';

let database: TestDatabase;
let issuer: TestIssuer;
let agent: Agent;

const RULES_OF_TEST: Rules = {
  ...RULES,
  anonymous_site: { points: 12, seconds: 60 },
  device_authorization_site: { points: 6, seconds: 60 },
  device_authorization_client: { points: 20, seconds: 60 },
};

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }], {
    rules: RULES_OF_TEST,
    trustedProxies: ['127.0.0.0/8', '::1/128'],
  });
  agent = new Agent({ connect: { ca: issuer.ca } });
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const ask = (path: string, address: string, fields?: Readonly<Record<string, string>>) =>
  fetch(new URL(path, issuer.issuerUrl), {
    method: fields ? 'POST' : 'GET',
    ...(fields && { body: new URLSearchParams(fields) }),
    headers: { 'x-forwarded-for': address },
    redirect: 'manual',
    dispatcher: agent,
  });

const countRows = async (model: string): Promise<number> =>
  (await database.query('SELECT id_hash FROM oidc_artifact WHERE model = $1', [model])).length;

describe('device codes', () => {
  const start = async (address: string, client_id = CLIENT) =>
    (await ask('/device/auth', address, { client_id, scope: 'openid' })).status;

  it.each([
    ['IPv4', (host: number) => `192.0.2.${host}`, '203.0.113.1'],
    ['IPv6', (network: number) => `2001:db8:1:${network}::1`, '2001:db8:2:1::1'],
  ])('are used up by no single site, which has its share over %s', async (_name, own, other) => {
    const statuses: number[] = [];
    for (let each = 1; each <= 8; each += 1) statuses.push(await start(own(each)));
    expect(statuses).toEqual([...Array(6).fill(200), 429, 429]);
    expect(await start(other)).toBe(200);
  });

  it('are bounded for one client in all, and what is refused is not left over', async () => {
    const { clientId } = await createWorkspace(database);
    const before = await countRows('DeviceCode');
    const statuses: number[] = [];
    for (let each = 1; each <= 22; each += 1) {
      statuses.push(await start(`10.0.${each}.1`, clientId));
    }
    expect(statuses).toEqual([...Array(20).fill(200), 429, 429]);
    expect((await countRows('DeviceCode')) - before).toBe(20);
    expect(await start('10.1.1.1')).toBe(200);
  });
});

describe('sign-ins that anyone can begin', () => {
  const authorize = async (address: string, change: Readonly<Record<string, string>> = {}) => {
    await using client = await createOidcClient({ ...issuer, clientId: CLIENT });
    const { url } = await prepareRequest(client);
    for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
    return ask(`${url.pathname}${url.search}`, address);
  };

  it('are stored only so often for a site, and then not at all', async () => {
    for (let each = 1; each <= 12; each += 1) {
      expect((await authorize(`198.51.100.${each}`)).status).toBe(303);
    }
    const before = await countRows('Interaction');
    const refused = await authorize('198.51.100.99');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('/device', '198.51.100.98')).status).toBe(429);
    expect(await countRows('Interaction')).toBe(before);
    expect((await authorize('203.0.113.77')).status).toBe(303);
  });

  it('are not counted for whoever is signed in', async () => {
    await using visitor = createPageVisitor(issuer.ca, { 'x-forwarded-for': '100.64.1.1' });
    const signIn = { ...issuer, clientId: CLIENT, username: 'alice', password: TEST_PASSWORD };
    await signInWithCode({ ...signIn, visitor });
    for (let each = 0; each < 15; each += 1) {
      await using client = await createOidcClient({ ...issuer, clientId: CLIENT });
      const { url } = await prepareRequest(client);
      expect((await visitor.open(url.href)).status).toBe(200);
    }
    const page = await goThroughPages(
      visitor,
      await visitor.open(`${issuer.issuerUrl}/account/sessions`),
      signIn,
    );
    expect(page.url.pathname).toBe('/account/sessions');
  });

  it.each([
    ['state', MAX_STATE],
    ['nonce', MAX_PARAMETER],
    ['login_hint', MAX_PARAMETER],
    ['connector_id', MAX_PARAMETER],
    ['ui_locales', MAX_PARAMETER],
    ['acr_values', MAX_PARAMETER],
  ])('have a %s of %i characters at most', async (name, limit) => {
    const address = `10.2.${name.length}.${limit % 250}`;
    const before = await countRows('Interaction');
    const refused = await authorize(address, { [name]: 'x'.repeat(limit + 1) });
    const { searchParams, pathname } = new URL(
      refused.headers.get('location') ?? '',
      issuer.issuerUrl,
    );
    expect([refused.status, pathname]).toEqual([303, '/']);
    expect(searchParams.get('error')).toBe('invalid_request');
    expect(searchParams.get('error_description')).toBe(
      `${name} must not be longer than ${limit} characters`,
    );
    expect(await countRows('Interaction')).toBe(before);
    const longest = await authorize(address, { [name]: 'x'.repeat(limit) });
    expect(longest.headers.get('location')).toMatch(/^\/interaction\//);
  });

  it('have short parameters also when they begin at a device', async () => {
    const answer = await ask('/device/auth', '10.3.1.1', {
      client_id: CLIENT,
      scope: 'openid',
      login_hint: 'x'.repeat(MAX_PARAMETER + 1),
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });
});
