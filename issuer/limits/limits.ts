/**
 * Rate limits: how often something may be tried. What they count by is hashed under a key of ours, so that
 * the counters name nobody.
 */
import { createHmac } from 'node:crypto';
import { Counter, type Registry } from 'prom-client';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { type LimitName, RULES, type Rules } from './rules.ts';
import type { LimitStore } from './store.ts';

/** Something was tried too often. */
export class RateLimitedError extends Error {
  readonly limit: LimitName;
  readonly status = 429;
  readonly statusCode = 429;
  readonly expose = true;
  /** Whole seconds, for Retry-After (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number;
  constructor(limit: LimitName, retryAfterSeconds: number) {
    super(`too many requests; try again in ${retryAfterSeconds} seconds`);
    this.name = 'RateLimitedError';
    this.limit = limit;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What a limit counts by, e.g. a network, or a client and a network. */
export type LimitKey = readonly string[];

/** The limits. */
export type Limits = {
  /**
   * Counts one more.
   *
   * @throws RateLimitedError beyond the limit
   */
  readonly consume: (limit: LimitName, key: LimitKey) => Promise<void>;
  /** Takes one back, for what turned out not to be what the limit is against. */
  readonly giveBack: (limit: LimitName, key: LimitKey) => Promise<void>;
};

/** What {@link createLimits} needs. */
export type LimitsDeps = {
  readonly store: LimitStore;
  /** 32 bytes. */
  readonly key: Buffer;
  readonly metrics: Registry;
  /** By default {@link RULES}. */
  readonly rules?: Rules | undefined;
};

/** Makes the limits; refusals are counted in `rate_limited_total`. */
export const createLimits = ({ store, key, metrics, rules = RULES }: LimitsDeps): Limits => {
  const refusals = new Counter({
    name: 'rate_limited_total',
    help: 'Requests that were refused with 429, by limit.',
    labelNames: ['limit'],
    registers: [metrics],
  });
  const counters = new Map(
    (Object.keys(rules) as LimitName[]).map((name) => [name, store(name, rules[name])] as const),
  );
  const counterOf = (limit: LimitName) => {
    const counter = counters.get(limit);
    if (!counter) throw new Error(`there is no limit ${limit}`);
    return counter;
  };
  const toKey = (parts: LimitKey) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
  return {
    consume: async (limit, parts) => {
      try {
        await counterOf(limit).consume(toKey(parts));
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        refusals.inc({ limit });
        throw new RateLimitedError(limit, Math.max(1, Math.ceil(error.msBeforeNext / 1_000)));
      }
    },
    giveBack: async (limit, parts) => {
      await counterOf(limit).reward(toKey(parts));
    },
  };
};
