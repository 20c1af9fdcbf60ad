import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createSyncMetrics } from '../metrics.ts';
import { type Clock, createWorkQueue, type WorkOutcome } from './work-queue.ts';

const settled = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

/** A clock that moves when told to. */
const createFakeClock = () => {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    later: (ms, callback) => {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
  };
  const advance = async (ms: number) => {
    now += ms;
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { callback } of due) callback();
    await settled();
  };
  return { clock, advance, waits: () => timers.map(({ at }) => at - now) };
};

/** A queue whose work ends when the test says so. */
const aQueue = (concurrency = 2) => {
  const { clock, advance, waits } = createFakeClock();
  const started: string[] = [];
  const running = new Map<string, PromiseWithResolvers<WorkOutcome | undefined>>();
  const registry = new Registry();
  const logged: string[] = [];
  const log = pino({}, { write: (line) => logged.push(line) });
  const queue = createWorkQueue({
    process: (key) => {
      started.push(key);
      const work = Promise.withResolvers<WorkOutcome | undefined>();
      running.set(key, work);
      return work.promise;
    },
    concurrency,
    longMs: 5_000,
    baseMs: 100,
    capMs: 1000,
    log,
    metrics: createSyncMetrics(registry).queue,
    clock,
    random: () => 1,
  });
  const finish = async (key: string, end?: Error | WorkOutcome) => {
    if (end instanceof Error) running.get(key)?.reject(end);
    else running.get(key)?.resolve(end);
    await settled();
  };
  return { queue, started, finish, advance, waits, registry, logged };
};

describe('a work queue', () => {
  it('does a key once for many signals', async () => {
    const { queue, started } = aQueue(1);
    for (const key of ['busy', 'a', 'a', 'a']) queue.add(key);
    await settled();
    expect(started).toEqual(['busy']);
  });

  it('waits for no work that takes long, which is done once all the same', async () => {
    const { queue, started, finish, advance } = aQueue(1);
    for (const key of ['slow', 'a', 'b']) queue.add(key);
    await advance(4_999);
    expect(started).toEqual(['slow']);
    await advance(1);
    expect(started).toEqual(['slow', 'a']);
    queue.add('slow');
    await finish('a');
    expect(started).toEqual(['slow', 'a', 'b']);
    await finish('b');
    expect(started).toEqual(['slow', 'a', 'b']);
    await finish('slow');
    expect(started).toEqual(['slow', 'a', 'b', 'slow']);
  });

  it('does a key again that was added while it was worked on, and never twice at once', async () => {
    const { queue, started, finish } = aQueue();
    queue.add('a');
    await settled();
    queue.add('a');
    queue.add('a');
    await settled();
    expect(started).toEqual(['a']);
    await finish('a');
    expect(started).toEqual(['a', 'a']);
    await finish('a');
    expect(started).toEqual(['a', 'a']);
  });

  it('works on as many keys at once as it may', async () => {
    const { queue, started, finish } = aQueue(2);
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settled();
    expect(started).toEqual(['a', 'b']);
    await finish('b');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['throws, which is logged', () => new Error('broken'), 6],
    ['has said so and logged it itself', () => ({ failed: true }) as const, 0],
  ])(
    'lets a failing key come back later and later, and not for ever later: its work %s',
    async (_how, toEnd, lines) => {
      const { queue, started, finish, advance, waits, logged } = aQueue();
      queue.add('a');
      await settled();
      for (const wait of [100, 200, 400, 800, 1000, 1000]) {
        await finish('a', toEnd());
        expect(waits()).toEqual([wait]);
        expect(queue.isFailing('a')).toBe(true);
        await advance(wait);
      }
      expect(started).toHaveLength(7);
      expect(logged).toHaveLength(lines);
      await finish('a');
      expect(queue.isFailing('a')).toBe(false);
    },
  );

  it('does not let a failing key hold up another', async () => {
    const { queue, started, finish } = aQueue(1);
    queue.add('broken');
    queue.add('fine');
    await settled();
    await finish('broken', new Error('broken'));
    expect(started).toEqual(['broken', 'fine']);
  });

  it('does a failing key at once when it is added', async () => {
    const { queue, started, finish } = aQueue();
    queue.add('a');
    await settled();
    await finish('a', new Error('broken'));
    queue.add('a');
    await settled();
    expect(started).toEqual(['a', 'a']);
  });

  it('keeps the earlier of two times to look', async () => {
    const { queue, started, advance } = aQueue();
    queue.addLater('a', 500);
    queue.addLater('a', 100);
    queue.addLater('a', 900);
    await advance(100);
    expect(started).toEqual(['a']);
  });

  it('ends the work in flight before it closes, and takes no more', async () => {
    const { queue, started, finish } = aQueue(1);
    queue.add('a');
    queue.add('b');
    await settled();
    let closed = false;
    const closing = queue[Symbol.asyncDispose]().then(() => {
      closed = true;
    });
    await settled();
    expect(closed).toBe(false);
    await finish('a');
    await closing;
    queue.add('c');
    await settled();
    expect(started).toEqual(['a']);
  });

  it('counts as client-go does', async () => {
    const { queue, finish, registry } = aQueue(1);
    queue.add('a');
    queue.add('b');
    await settled();
    await finish('a', new Error('broken'));
    const text = await registry.metrics();
    expect(text).toMatch(/^workqueue_depth 0$/m);
    expect(text).toMatch(/^workqueue_adds_total 2$/m);
    expect(text).toMatch(/^workqueue_retries_total 1$/m);
    expect(text).toMatch(/^workqueue_queue_duration_seconds_count 2$/m);
  });
});
