/**
 * A queue of keys to work on, as client-go's: each key waits at most once, is worked on by one at a
 * time, and is done again if it was added meanwhile. A key whose work fails comes back later and
 * later, and the others don't wait for it. Nor do they wait for work that takes long: that is waiting for
 * a host or for somebody's API server, and one tenant must not hold up the others by it.
 */
import type { Logger } from '#runtime/log.ts';
import type { WorkQueueMetrics } from '../metrics.ts';
import { backoffMs } from './backoff.ts';

/** What {@link createWorkQueue} needs. */
export type WorkQueueOptions = {
  /** Does the work of a key. What it throws is logged here. */
  readonly process: (key: string) => Promise<WorkOutcome | undefined>;
  /** Keys in flight at once, those that take long not counted. */
  readonly concurrency: number;
  /** After how many milliseconds work takes long. */
  readonly longMs: number;
  readonly baseMs: number;
  readonly capMs: number;
  readonly log: Logger;
  readonly metrics: WorkQueueMetrics;
  readonly clock?: Clock;
  readonly random?: () => number;
};

/** When to do the work again unasked, if ever; or that it failed, which has been logged. */
export type WorkOutcome = { readonly againInMs?: number } | { readonly failed: true };

/** The time, and waking up later; real timers unless a test brings its own. */
export type Clock = {
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls back later; answers how to call that off. */
  readonly later: (ms: number, callback: () => void) => () => void;
};

/** The process's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  later: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Takes keys until it is disposed of, which waits for the work in flight. */
export type WorkQueue = AsyncDisposable & {
  readonly add: (key: string) => void;
  readonly addLater: (key: string, ms: number) => void;
  /** Whether the last work of this key failed, so that it comes back by itself. */
  readonly isFailing: (key: string) => boolean;
};

/** Starts empty. */
export const createWorkQueue = (options: WorkQueueOptions): WorkQueue => {
  const { clock = systemClock, random = Math.random, metrics } = options;
  const waiting = new Map<string, number>();
  const inFlight = new Map<string, Promise<void>>();
  const takesLong = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  let closed = false;

  const add = (key: string): void => {
    if (closed) return;
    if (!waiting.has(key)) waiting.set(key, clock.now());
    metrics.depth.set(waiting.size);
    metrics.adds.inc();
    startNext();
  };

  const addLater = (key: string, ms: number): void => {
    const at = clock.now() + ms;
    const earlier = timers.get(key);
    if (closed || (earlier && earlier.at <= at)) return;
    earlier?.cancel();
    const cancel = clock.later(ms, () => {
      timers.delete(key);
      add(key);
    });
    timers.set(key, { at, cancel });
  };

  const startNext = (): void => {
    for (const [key, since] of waiting) {
      if (closed || inFlight.size - takesLong.size >= options.concurrency) return;
      if (inFlight.has(key)) continue;
      waiting.delete(key);
      metrics.depth.set(waiting.size);
      metrics.queueDuration.observe((clock.now() - since) / 1000);
      inFlight.set(key, work(key));
    }
  };

  const retry = (key: string): void => {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    metrics.retries.inc();
    addLater(key, backoffMs(count, { baseMs: options.baseMs, capMs: options.capMs, random }));
  };

  const work = async (key: string): Promise<void> => {
    const started = clock.now();
    const cancel = clock.later(options.longMs, () => {
      takesLong.add(key);
      startNext();
    });
    // Out of the caller's stack: an `add` must never run the work it asks for.
    await Promise.resolve();
    const outcome = await doWork(options, key);
    if ('failed' in outcome) retry(key);
    else {
      failures.delete(key);
      if (outcome.againInMs !== undefined) addLater(key, outcome.againInMs);
    }
    metrics.workDuration.observe((clock.now() - started) / 1000);
    cancel();
    takesLong.delete(key);
    inFlight.delete(key);
    startNext();
  };

  return {
    add,
    addLater,
    isFailing: (key) => failures.has(key),
    [Symbol.asyncDispose]: async () => {
      closed = true;
      for (const { cancel } of timers.values()) cancel();
      await Promise.all(inFlight.values());
    },
  };
};

/** Throws nothing: what is thrown is a failure like one that the work tells of, and is logged here. */
const doWork = async (
  { process, log }: Pick<WorkQueueOptions, 'process' | 'log'>,
  key: string,
): Promise<WorkOutcome> => {
  try {
    return (await process(key)) ?? {};
  } catch (error) {
    log.error({ err: error, key }, 'the work failed and will be done again');
    return { failed: true };
  }
};
