import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import pino from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLimits, type Limits, RateLimitedError } from '../../../issuer/limits/limits.ts';
import { RULES } from '../../../issuer/limits/rules.ts';
import { createPostgresLimitStore, createRedisLimitStore } from '../../../issuer/limits/store.ts';
import { connectRedis } from '../../../issuer/storage/redis.ts';
import { createOwnDatabase } from '../../support/own-database.ts';
import { poll } from '../../support/poll.ts';
import { startRedis } from '../../support/redis.ts';

const rules = { ...RULES, code_entry_session: { points: 10, seconds: 60 } };
const key = randomBytes(32);

/** A server, and two replicas that count on it. */
type Counting = AsyncDisposable & {
  readonly replicas: readonly [Limits, Limits];
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
};

const lines: string[] = [];
const log = pino(
  { level: 'info' },
  new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  }),
);

const countInRedis = async (): Promise<Counting> => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const create = (): Limits => {
    const metrics = new Registry();
    const redis = stack.use(connectRedis({ url: server.url, log, metrics }));
    return createLimits({ store: createRedisLimitStore(redis), key, metrics, rules });
  };
  return finish(stack, { ...server, replicas: [create(), create()] });
};

const countInPostgres = async (): Promise<Counting> => {
  await using stack = new AsyncDisposableStack();
  const { server, urlFor } = stack.use(await createOwnDatabase());
  const create = (): Limits => {
    const store = stack.use(createPostgresLimitStore(urlFor('hexabase_issuer'), { log }));
    return createLimits({ store, key, metrics: new Registry(), rules });
  };
  return finish(stack, { ...server, replicas: [create(), create()] });
};

const finish = (
  stack: AsyncDisposableStack,
  { replicas, kill, restart }: Omit<Counting, keyof AsyncDisposable>,
): Counting => {
  const resources = stack.move();
  return { replicas, kill, restart, [Symbol.asyncDispose]: () => resources.disposeAsync() };
};

describe.each([
  ['Redis', countInRedis],
  ['PostgreSQL', countInPostgres],
])('limits that are counted in %s', (_name, start) => {
  let counting: Counting;
  beforeAll(async () => {
    counting = await start();
    // Until both are connected they count by themselves.
    await poll('both replicas to count together', () => countTogether());
  });
  afterAll(() => counting[Symbol.asyncDispose]());

  const passes = (limits: Limits, who: string): Promise<boolean> =>
    limits.consume('code_entry_session', [who]).then(
      () => true,
      (error: unknown) => {
        expect(error).toBeInstanceOf(RateLimitedError);
        return false;
      },
    );

  const countPasses = async (tries: number, who: string): Promise<number> => {
    const [one, other] = counting.replicas;
    const results = await Promise.all(
      Array.from({ length: tries }, (_, index) => passes(index % 2 ? one : other, who)),
    );
    return results.filter(Boolean).length;
  };

  const countTogether = async (): Promise<boolean> =>
    (await countPasses(40, randomBytes(8).toString('hex'))) === 10;

  it('are the same for all replicas, however many come at once', async () => {
    for (const who of ['a', 'b', 'c']) expect(await countPasses(64, who)).toBe(10);
  });

  it('say in whole seconds how long to wait', async () => {
    await countPasses(64, 'd');
    const error = await counting.replicas[0]
      .consume('code_entry_session', ['d'])
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RateLimitedError);
    const { retryAfterSeconds } = error as RateLimitedError;
    expect(Number.isInteger(retryAfterSeconds)).toBe(true);
    expect(retryAfterSeconds).toBeGreaterThan(0);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
  });

  it('take back what did not count', async () => {
    const [one, other] = counting.replicas;
    for (let index = 0; index < 30; index += 1) {
      expect(await passes(one, 'e')).toBe(true);
      await other.giveBack('code_entry_session', ['e']);
    }
  });

  it('hold in each process while it is away, with one line in the log, and together again later', async () => {
    lines.length = 0;
    await counting.kill();
    expect(await countPasses(64, 'f')).toBe(20);
    expect(await countPasses(64, 'g')).toBe(20);
    const away = lines.filter((line) => line.includes('a store is away'));
    expect(away).toHaveLength(counting.replicas.length);
    await counting.restart();
    await poll('both replicas to count together again', () => countTogether());
    expect(lines.filter((line) => line.includes('a store is back'))).toHaveLength(2);
  });
});
