import { Agent, fetch, type Response } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '#database/pool.ts';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  createOidcClient,
  prepareRequest,
  refresh,
  signInWithCode,
  type Tokens,
} from '../../support/oidc-client.ts';
import { createOwnDatabase, type OwnDatabase } from '../../support/own-database.ts';
import { poll } from '../../support/poll.ts';
import {
  type Fault,
  type FaultyLink,
  startToxiproxy,
  type Toxiproxy,
} from '../../support/toxiproxy.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const PATIENCE_MS = 1_000;
// What a request may take while the database is away: one wait for a statement or a connection each.
const BOUND_MS = 10_000;

let toxiproxy: Toxiproxy;
let database: OwnDatabase;
let link: FaultyLink;
let issuer: TestIssuer;
let agent: Agent;
let workspace: TestWorkspace;
let interaction: { url: string; cookie: string };
let tokens: Tokens;

beforeAll(async () => {
  [toxiproxy, database] = await Promise.all([startToxiproxy(), createOwnDatabase()]);
  link = await toxiproxy.link(database.server.port);
  const url = new URL(database.urlFor('hexabase_issuer'));
  url.port = `${link.port}`;
  const pool = await createDatabase({ connectionString: url.href, patienceMs: PATIENCE_MS });
  issuer = await startTestIssuer(database, [{ username: 'alice' }], { pool });
  agent = new Agent({ connect: { ca: issuer.ca } });
  workspace = await createWorkspace(database);
  await workspace.addMember(
    await createPerson(database, 'alice'),
    await workspace.addGroup('team'),
  );
  tokens = await signInWithCode(as());
  interaction = await startInteraction();
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await issuer.database.end();
  await toxiproxy[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
afterEach(() => link.heal());

const as = () => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
  username: 'alice',
  password: TEST_PASSWORD,
});

const startInteraction = async () => {
  await using visitor = createPageVisitor(issuer.ca);
  await using client = await createOidcClient(as());
  const page = await visitor.open((await prepareRequest(client)).url.href);
  return { url: page.url.href, cookie: await visitor.cookies.getCookieString(page.url.href) };
};

type Request = {
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
};

const ask = ({ path, form, headers }: Request): Promise<Response> =>
  fetch(`${issuer.issuerUrl}${path}`, {
    method: form ? 'POST' : 'GET',
    ...(form && { body: new URLSearchParams(form) }),
    headers: { ...headers },
    redirect: 'manual',
    dispatcher: agent,
  });

const forClients = (): Request[] => [
  {
    path: '/token',
    form: {
      grant_type: 'refresh_token',
      client_id: workspace.clientId,
      refresh_token: tokens.refresh_token,
    },
  },
  {
    path: '/token',
    form: { grant_type: 'authorization_code', client_id: workspace.clientId, code: 'x' },
  },
  { path: '/token/revocation', form: { client_id: workspace.clientId, token: 'x' } },
  { path: '/device/auth', form: { client_id: workspace.clientId, scope: 'openid' } },
  { path: '/me', headers: { authorization: 'Bearer x' } },
];

const forPeople = (): Request[] => {
  const query = new URLSearchParams({
    client_id: workspace.clientId,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: 'http://localhost:8000',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  const headers = { accept: 'text/html' };
  const own = { ...headers, cookie: interaction.cookie };
  const { pathname } = new URL(interaction.url);
  return [
    { path: `/auth?${query}`, headers },
    { path: pathname, headers: own },
    {
      path: `${pathname}/sign-in/local`,
      headers: { ...own, origin: issuer.issuerUrl },
      form: { username: 'alice', password: TEST_PASSWORD },
    },
    { path: '/device', headers: { ...headers, cookie: '__Host-hexabase-session=unknown' } },
  ];
};

const expectUnavailable = (response: Response) => {
  expect({ url: response.url, status: response.status }).toMatchObject({ status: 503 });
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.getSetCookie()).toEqual([]);
};

/** Everything that needs the database says so in words; everything else goes on. */
const expectOutage = async () => {
  const started = performance.now();
  for (const response of await Promise.all(forClients().map(ask))) {
    expectUnavailable(response);
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
  }
  for (const response of await Promise.all(forPeople().map(ask))) {
    expectUnavailable(response);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await response.text()).toContain('Please wait a moment');
  }
  expect(performance.now() - started).toBeLessThan(BOUND_MS);
  expect((await ask({ path: '/readyz' })).status).toBe(503);
  for (const path of ['/jwks', '/.well-known/openid-configuration', '/livez', '/metrics']) {
    expect((await ask({ path })).status).toBe(200);
  }
};

/** Without anyone's help: the grant from before is there, and new sign-ins work. */
const expectRecovery = async () => {
  await poll('readiness', async () => (await ask({ path: '/readyz' })).status === 200);
  tokens = await poll('a refresh', () => refresh({ ...as(), refreshToken: tokens.refresh_token }));
  expect(tokens.claims['groups']).toEqual(['team']);
  expect((await signInWithCode(as())).claims['groups']).toEqual(['team']);
};

describe('PostgreSQL behind a bad network', () => {
  it.each<[string, Fault]>([
    ['resets connections', { type: 'reset' }],
    ['is silent', { type: 'silence' }],
    ['answers too late', { type: 'latency', milliseconds: 30_000 }],
    ['is not there', { type: 'down' }],
  ])('that %s costs 503 with Retry-After, and nothing afterwards', async (_name, fault) => {
    await link.suffer(fault);
    await expectOutage();
    await link.heal();
    await expectRecovery();
  });

  it('that is silent keeps nobody waiting in a queue, however many come', async () => {
    const requests = Array.from({ length: 100 }, () => forClients()[0] as Request);
    // All connections of the pool are open, and none is free.
    await Promise.all(requests.slice(0, 10).map(ask));
    await link.suffer({ type: 'silence' });
    const started = performance.now();
    const answers = await Promise.all(requests.map(ask));
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(503));
    expect(performance.now() - started).toBeLessThan(BOUND_MS);
    await link.heal();
    await expectRecovery();
  });

  it('that is slow makes everything slow, and nothing fail', async () => {
    await link.suffer({ type: 'latency', milliseconds: 50 });
    tokens = await signInWithCode(as());
    expect(tokens.claims['groups']).toEqual(['team']);
  });

  it('that breaks in the middle of many requests loses none of the grants', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => signInWithCode(as())));
    const renewals = all.map(({ refresh_token }) =>
      refresh({ ...as(), refreshToken: refresh_token }).catch(() => undefined),
    );
    await link.suffer({ type: 'reset' });
    const renewed = await Promise.all(renewals);
    await link.heal();
    await poll('readiness', async () => (await ask({ path: '/readyz' })).status === 200);
    for (const [index, before] of all.entries()) {
      const refreshToken = (renewed[index] ?? before).refresh_token;
      const { claims } = await refresh({ ...as(), refreshToken });
      expect(claims['groups']).toEqual(['team']);
    }
  });
});

describe('PostgreSQL that is killed', () => {
  it('is missed while it is away, and found again when it is back', async () => {
    await database.server.kill();
    await expectOutage();
    await database.server.restart();
    await expectRecovery();
  });
});
