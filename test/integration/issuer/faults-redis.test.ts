import { Redis } from 'ioredis';
import { Agent, fetch } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createPageVisitor,
  type PageVisitor,
  type VisitedPage,
} from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  type AuthorizationRequest,
  createOidcClient,
  goThroughPages,
  prepareRequest,
  redeem,
  refresh,
  signInWithCode,
  type Tokens,
} from '../../support/oidc-client.ts';
import { poll } from '../../support/poll.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import {
  type Fault,
  type FaultyLink,
  startToxiproxy,
  type Toxiproxy,
} from '../../support/toxiproxy.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let toxiproxy: Toxiproxy;
let redis: RedisServer;
let link: FaultyLink;
let database: TestDatabase;
let issuer: TestIssuer;
let agent: Agent;
let workspace: TestWorkspace;

beforeAll(async () => {
  [toxiproxy, redis, database] = await Promise.all([
    startToxiproxy(),
    startRedis(),
    createTestDatabase(),
  ]);
  link = await toxiproxy.link(redis.port);
  issuer = await startTestIssuer(database, [{ username: 'alice' }], {
    redisUrl: `redis://127.0.0.1:${link.port}`,
  });
  agent = new Agent({ connect: { ca: issuer.ca } });
  workspace = await createWorkspace(database);
  await workspace.addMember(
    await createPerson(database, 'alice'),
    await workspace.addGroup('team'),
  );
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await toxiproxy[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
afterEach(async () => {
  await link.heal();
  await poll('the cache to be used again', async () => {
    const before = await readMetric('cache_reads_total', 'hit');
    await startSignIn();
    return (await readMetric('cache_reads_total', 'hit')) > before;
  });
});

const as = () => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
  username: 'alice',
  password: TEST_PASSWORD,
});

const readMetric = async (name: string, label = ''): Promise<number> => {
  const response = await fetch(`${issuer.issuerUrl}/metrics`, { dispatcher: agent });
  return (await response.text())
    .split('\n')
    .filter((line) => line.startsWith(name) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

const requestToken = async (fields: Readonly<Record<string, string>>) => {
  const response = await fetch(`${issuer.issuerUrl}/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: workspace.clientId, ...fields }),
    dispatcher: agent,
  });
  return { status: response.status, ...((await response.json()) as object) };
};

/** A sign-in that stands at its first page. */
type StartedSignIn = {
  readonly visitor: PageVisitor;
  readonly request: AuthorizationRequest;
  readonly page: VisitedPage;
};

const startSignIn = async (visitor = createPageVisitor(issuer.ca)): Promise<StartedSignIn> => {
  await using client = await createOidcClient(as());
  const request = await prepareRequest(client);
  return { visitor, request, page: await visitor.open(request.url.href) };
};

const finishSignIn = async ({ visitor, request, page }: StartedSignIn): Promise<Tokens> => {
  await using client = await createOidcClient(as());
  const end = await goThroughPages(visitor, page, as());
  return await redeem(client, request, end.url);
};

const FAULTS: readonly [string, Fault][] = [
  ['resets connections', { type: 'reset' }],
  ['is silent', { type: 'silence' }],
  ['answers too late', { type: 'latency', milliseconds: 5_000 }],
  ['is not there', { type: 'down' }],
];

/** What was used once is not used again. */
const expectNoReplay = async (used: Readonly<Record<string, string>>, tokens: Tokens) => {
  expect(await requestToken(used)).toMatchObject({ status: 400, error: 'invalid_grant' });
  // By that the whole grant is over (RFC 6749 §4.1.2).
  const { refresh_token } = tokens;
  expect(await requestToken({ grant_type: 'refresh_token', refresh_token })).toMatchObject({
    status: 400,
  });
};

const endGrace = () =>
  database.query(
    "UPDATE oidc_artifact SET consumed_at = consumed_at - interval '11 s' WHERE consumed_at IS NOT NULL AND model <> 'Session'",
  );

describe('Redis', () => {
  it.each(FAULTS)(
    'that %s stops no sign-in, new or under way, and no refresh',
    async (_, fault) => {
      const before = await signInWithCode(as());
      const underWay = await startSignIn();
      const failures = await readMetric('redis_failures_total');
      await link.suffer(fault);
      const started = performance.now();
      expect((await finishSignIn(underWay)).claims['groups']).toEqual(['team']);
      expect((await signInWithCode(as())).claims['groups']).toEqual(['team']);
      const renewed = await refresh({ ...as(), refreshToken: before.refresh_token });
      expect(renewed.claims['groups']).toEqual(['team']);
      expect(performance.now() - started).toBeLessThan(20_000);
      expect(await readMetric('redis_failures_total')).toBeGreaterThan(failures);
      await link.heal();
      await endGrace();
      expect(
        await requestToken({ grant_type: 'refresh_token', refresh_token: before.refresh_token }),
      ).toMatchObject({ status: 400, error: 'invalid_grant' });
    },
  );

  it.each<[string, () => Promise<void>]>([
    ['is emptied', () => flush()],
    [
      'is killed and comes back empty',
      async () => {
        await redis.kill();
        await redis.restart();
      },
    ],
  ])('that %s in the middle of a sign-in loses neither it nor a grant', async (_, lose) => {
    const before = await signInWithCode(as());
    const signIn = await startSignIn();
    await lose();
    const page = await signIn.visitor.submit(signIn.page, {
      having: 'password',
      fields: { username: 'alice', password: TEST_PASSWORD },
    });
    await lose();
    expect((await finishSignIn({ ...signIn, page })).claims['groups']).toEqual(['team']);
    await lose();
    const again = await startSignIn(signIn.visitor);
    expect(again.page.document.querySelector('[name=password]')).toBeNull();
    const renewed = await refresh({ ...as(), refreshToken: before.refresh_token });
    expect(renewed.claims['groups']).toEqual(['team']);
  });

  it.each<[string, () => Promise<void>]>([
    ['empty', () => flush()],
    ['gone', () => redis.kill()],
  ])('that is %s gives no code and no refresh token a second life', async (_, lose) => {
    const signIn = await startSignIn();
    const end = await goThroughPages(signIn.visitor, signIn.page, as());
    const code = {
      grant_type: 'authorization_code',
      code: end.url.searchParams.get('code') ?? '',
      code_verifier: signIn.request.verifier,
      redirect_uri: 'http://localhost:8000',
    };
    await using client = await createOidcClient(as());
    const tokens = await redeem(client, signIn.request, end.url);
    try {
      await lose();
      await expectNoReplay(code, tokens);
    } finally {
      await redis.kill();
      await redis.restart();
    }
  });

  it('that is away while someone signs out brings no session back', async () => {
    const { visitor } = await startSignIn().then(async (signIn) => {
      await finishSignIn(signIn);
      return signIn;
    });
    const before = await startSignIn(visitor);
    expect(before.page.document.querySelector('[name=password]')).toBeNull();
    await link.suffer({ type: 'down' });
    const page = await visitor.open(`${issuer.issuerUrl}/session/end`);
    await visitor.submit(page, { fields: { logout: 'yes' } });
    await link.heal();
    const after = await startSignIn(visitor);
    expect(after.page.document.querySelector('[name=password]')).not.toBeNull();
  });
});

const flush = async (): Promise<void> => {
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
};
