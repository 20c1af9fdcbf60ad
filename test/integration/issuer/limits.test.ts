import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#runtime/log.ts';
import { RULES, type Rules } from '../../../issuer/limits/rules.ts';
import { createPostgresLimitStore, type LimitStore } from '../../../issuer/limits/store.ts';
import { createPageVisitor, type VisitedPage } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  createOidcClient,
  prepareRequest,
  redeemDevice,
  signInWithCode,
  startDevice,
} from '../../support/oidc-client.ts';

const CLIENT = 'hexabase-cli';

let database: TestDatabase;
let issuer: TestIssuer;
let agent: Agent;
let store: LimitStore & AsyncDisposable;
const metrics = new Registry();

const RULES_OF_TEST: Rules = {
  ...RULES,
  token_address: { points: 40, seconds: 60 },
  token_errors_client: { points: 8, seconds: 60 },
  password_account: { points: 12, seconds: 60 },
};

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresLimitStore(database.urlFor('hexabase_issuer'), {
    log: createLogger('test', 'silent'),
  });
  issuer = await startTestIssuer(database, [{ username: 'alice' }, { username: 'bob' }], {
    limitStore: store,
    rules: RULES_OF_TEST,
    trustedProxies: ['127.0.0.0/8', '::1/128'],
    metrics,
  });
  agent = new Agent({ connect: { ca: issuer.ca } });
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

let addresses = 0;
/** An address that nothing has come from yet. */
const freshAddress = () => {
  addresses += 1;
  return `198.51.100.${addresses}`;
};

type Fields = Readonly<Record<string, string>>;

const post = (path: string, fields: Fields, address: string) =>
  fetch(`${issuer.issuerUrl}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'x-forwarded-for': address },
    dispatcher: agent,
  });

const refreshWith = (address: string, client_id = CLIENT) =>
  post('/token', { grant_type: 'refresh_token', client_id, refresh_token: 'none' }, address);

const statusesOf = async (count: number, request: () => ReturnType<typeof post>) => {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const response = await request();
    await response.body?.cancel();
    statuses.push(response.status);
  }
  return statuses;
};

describe('a client', () => {
  it('is told to wait after too many refused token requests, in OAuth’s JSON', async () => {
    const address = freshAddress();
    expect(await statusesOf(8, () => refreshWith(address))).toEqual(Array(8).fill(400));
    const response = await refreshWith(address);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toSatisfy(
      (seconds: number) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 60,
    );
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('try again in'),
    });
    expect((await refreshWith(freshAddress())).status).toBe(400);
  });

  it('that polls for a device is never told more than slow_down', async () => {
    const address = freshAddress();
    await using client = await createOidcClient({ ...issuer, clientId: CLIENT });
    const { device_code } = await startDevice(client);
    const poll = () =>
      post(
        '/token',
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          client_id: CLIENT,
          device_code,
        },
        address,
      );
    expect(await statusesOf(20, poll)).toEqual(Array(20).fill(400));
  });

  it('of one address has its share, an IPv6 one with its whole network', async () => {
    const [one, other] = [freshAddress(), freshAddress()];
    const body = { grant_type: 'nothing', client_id: CLIENT };
    const statuses = await Promise.all(
      Array.from({ length: 64 }, async () => (await post('/token', body, one)).status),
    );
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(24);
    expect((await post('/token', body, other)).status).toBe(400);
    let host = 0;
    const fromNetwork = () => {
      host += 1;
      return post('/token', body, `2001:db8:1:2::${host.toString(16)}`);
    };
    expect((await statusesOf(41, fromNetwork)).at(-1)).toBe(429);
    expect((await post('/token', body, '2001:db8:1:3::1')).status).toBe(400);
  });

  it('can’t hide behind addresses that it has made up', async () => {
    const address = freshAddress();
    let hop = 0;
    const spoofed = () => {
      hop += 1;
      return refreshWith(`203.0.113.${hop}, ${address}`);
    };
    expect((await statusesOf(9, spoofed)).at(-1)).toBe(429);
  });

  it('reads keys and discovery as often as it likes', async () => {
    const address = freshAddress();
    await statusesOf(9, () => refreshWith(address));
    for (const path of ['/jwks', '/.well-known/openid-configuration']) {
      const read = () =>
        fetch(`${issuer.issuerUrl}${path}`, {
          headers: { 'x-forwarded-for': address },
          dispatcher: agent,
        });
      expect(await statusesOf(50, read)).toEqual(Array(50).fill(200));
    }
    const keys = await database.query<{ key: string }>('SELECT key FROM rate_limit');
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.every(({ key }) => !key.includes(address) && !key.includes(CLIENT))).toBe(true);
  });

  it('gets no more device codes than its share, and none is left over', async () => {
    const address = freshAddress();
    const ask = () => post('/device/auth', { client_id: CLIENT, scope: 'openid' }, address);
    const statuses = await statusesOf(RULES.device_authorization_address.points + 1, ask);
    expect(statuses.at(-2)).toBe(200);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('a person', () => {
  const signIn = (address: string, username: string, password: string) =>
    tryPassword({ address, username, password });

  const tryPassword = async (options: {
    address: string;
    username: string;
    password: string;
  }): Promise<VisitedPage> => {
    await using visitor = createPageVisitor(issuer.ca, { 'x-forwarded-for': options.address });
    await using client = await createOidcClient({ ...issuer, clientId: CLIENT });
    const { url } = await prepareRequest(client);
    const page = await visitor.open(url.href);
    const { username, password } = options;
    return await visitor.submit(page, { having: 'password', fields: { username, password } });
  };

  it('may mistype a few times, then waits; elsewhere the account is open', async () => {
    const address = freshAddress();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect((await signIn(address, 'alice', `wrong ${attempt}`)).status).not.toBe(429);
    }
    const refused = await signIn(address, 'alice', TEST_PASSWORD);
    expect(refused.status).toBe(429);
    expect(refused.text).toContain('Too many attempts');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await signIn(address, ' ALICE ', TEST_PASSWORD)).status).toBe(429);
    expect((await signIn(freshAddress(), 'alice', TEST_PASSWORD)).status).toBe(200);
    expect((await signIn(address, 'bob', TEST_PASSWORD)).status).toBe(200);
  });

  it('is counted by address for every password, also on the page where accounts are linked', async () => {
    const address = freshAddress();
    const link = () =>
      fetch(`${issuer.issuerUrl}/account/sign-in-methods/local/password`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'nobody', password: 'wrong' }),
        headers: { 'x-forwarded-for': address, 'sec-fetch-site': 'same-origin' },
        redirect: 'manual',
        dispatcher: agent,
      });
    const { points } = RULES.sign_in_address;
    expect(await statusesOf(points + 1, link)).toEqual([...Array(points).fill(303), 429]);
  });

  it('is not counted for signing in', async () => {
    const address = freshAddress();
    for (let attempt = 0; attempt < 8; attempt += 1) {
      expect((await signIn(address, 'bob', TEST_PASSWORD)).status).toBe(200);
    }
  });

  it('that doesn’t exist is counted like one that does', async () => {
    const address = freshAddress();
    const name = randomBytes(6).toString('hex');
    for (let attempt = 0; attempt < 5; attempt += 1) await signIn(address, name, 'x');
    expect((await signIn(address, name, 'x')).status).toBe(429);
  });

  it('gets no more tries than that from many at once', async () => {
    const address = freshAddress();
    const pages = await Promise.all(
      Array.from({ length: 16 }, () => signIn(address, 'carol', 'wrong')),
    );
    expect(pages.filter(({ status }) => status === 429)).toHaveLength(11);
  });

  it('is guessed at from many addresses only so often', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 13; attempt += 1) {
      statuses.push((await signIn(freshAddress(), 'dave', 'wrong')).status);
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  });
});

describe('the entry of device codes', () => {
  const enter = async (visitor: ReturnType<typeof createPageVisitor>, user_code: string) => {
    const page = await visitor.open(`${issuer.issuerUrl}/device`);
    return visitor.submit(page, { having: 'user_code', fields: { user_code } });
  };

  it('ends for a browser after ten wrong ones, even with a right one', async () => {
    await using visitor = createPageVisitor(issuer.ca, { 'x-forwarded-for': freshAddress() });
    await using client = await createOidcClient({ ...issuer, clientId: CLIENT });
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const page = await enter(visitor, `BBBB-BBB${'BCDFGHJKLM'[attempt]}`);
      expect(page.status).toBe(400);
    }
    const { user_code } = await startDevice(client);
    const refused = await enter(visitor, user_code);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(300);
    await using other = createPageVisitor(issuer.ca, { 'x-forwarded-for': freshAddress() });
    expect((await enter(other, user_code)).text).toContain('Hexabase command line');
  });

  it('ends for everyone at a code that was entered ten times', async () => {
    await using client = await createOidcClient({ ...issuer, clientId: CLIENT });
    const device = await startDevice(client);
    await using visitor = createPageVisitor(issuer.ca, { 'x-forwarded-for': freshAddress() });
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect((await enter(visitor, device.user_code)).status).toBe(200);
    }
    expect((await enter(visitor, device.user_code)).status).toBe(429);
    await using other = createPageVisitor(issuer.ca, { 'x-forwarded-for': freshAddress() });
    expect((await enter(other, device.user_code)).text).not.toContain('Hexabase command line');
    await expect(redeemDevice(client, device)).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

describe('the operator', () => {
  it('sees what was refused', async () => {
    const text = await metrics.metrics();
    for (const limit of ['token_errors_client', 'password_burst', 'code_entry_session']) {
      expect(text).toMatch(new RegExp(`rate_limited_total\\{limit="${limit}"[^}]*\\} [1-9]`));
    }
  });

  it('needs no table for sign-in to go on: the limits hold in memory', async () => {
    await database.query('ALTER TABLE rate_limit RENAME TO rate_limit_away');
    try {
      await signInWithCode({
        ...issuer,
        clientId: CLIENT,
        username: 'alice',
        password: TEST_PASSWORD,
      });
      const address = freshAddress();
      expect((await statusesOf(9, () => refreshWith(address))).at(-1)).toBe(429);
    } finally {
      await database.query('ALTER TABLE rate_limit_away RENAME TO rate_limit');
    }
  });
});
