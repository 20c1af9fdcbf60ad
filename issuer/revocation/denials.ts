/**
 * Whose tokens clusters are to refuse, in memory: read again every second, so that an answer to a cluster
 * never waits for the database, and what was known stays known while the database is away.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import type { CommonQueryMethods } from 'slonik';
import { REVOCATION_POLL_SECONDS } from '#domain/staleness.ts';
import type { Logger } from '#runtime/log.ts';
import { createEpisodes } from '../storage/episodes.ts';
import { DENIAL_SECONDS, listEndedGrants } from './ended-grants.ts';

/** The grants that ended. */
export type Denials = {
  /**
   * Whether a grant of this client has ended and its tokens might not have.
   *
   * @param grant the claim of that name
   */
  readonly has: (clientId: string, grant: string) => boolean;
};

/** What {@link startDenials} needs. */
export type DenialsDeps = {
  readonly database: CommonQueryMethods;
  readonly log: Logger;
  readonly metrics: Registry;
};

/** A transaction that ended a grant may commit this much later than the moment that it wrote down. */
const LONGEST_TRANSACTION_SECONDS = 60;

/** Reads now and every second until disposed of. */
export const startDenials = ({
  database,
  log,
  metrics,
}: DenialsDeps): Denials & AsyncDisposable => {
  const until = new Map<string, number>();
  const stopping = new AbortController();
  const episodes = createEpisodes('ended grants', { log });
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async (): Promise<void> => {
    const began = performance.now();
    const since = (began - readAt) / 1000 + LONGEST_TRANSACTION_SECONDS;
    for (const row of await listEndedGrants(database, Math.min(since, DENIAL_SECONDS))) {
      const left = DENIAL_SECONDS - row.age_seconds;
      until.set(keyOf(row.client_id, row.id_hash.toString('base64url')), began + 1000 * left);
    }
    readAt = began;
    forget(until, began);
  };
  observe(metrics, { until, ageOf: () => (performance.now() - readAt) / 1000 });
  const running = repeat(() => episodes.run(read).catch(() => {}), stopping.signal);
  return {
    has: (clientId, grant) => until.has(keyOf(clientId, grant)),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running;
    },
  };
};

const keyOf = (clientId: string, grant: string): string => `${clientId}/${grant}`;

const forget = (until: Map<string, number>, now: number): void => {
  for (const [key, moment] of until) if (moment < now) until.delete(key);
};

const repeat = async (step: () => Promise<void>, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await step();
    await delay(1000 * REVOCATION_POLL_SECONDS, undefined, { signal }).catch(() => {});
  }
};

const observe = (
  metrics: Registry,
  { until, ageOf }: { readonly until: ReadonlyMap<string, number>; readonly ageOf: () => number },
): void => {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(read());
      },
    });
  gauge('revocation_denials', 'Ended grants whose tokens clusters refuse.', () => until.size);
  gauge('revocation_age_seconds', 'Since when ended grants have not been looked for.', ageOf);
};
