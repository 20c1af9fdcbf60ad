/** How a helper that may be away is asked: without waiting for it again and again, and without a line each time. */
import type { Logger } from '#runtime/log.ts';

/** What {@link createEpisodes} needs. */
export type EpisodeOptions = {
  readonly log: Logger;
  /** Called for each failure and for each call that was spared. */
  readonly count?: (() => void) | undefined;
};

/** A circuit breaker. */
export type Episodes = {
  /**
   * Runs an operation, or refuses it at once within a second of a failure.
   *
   * @throws the operation's error, or {@link SparedError}
   */
  readonly run: <Result>(operation: () => Promise<Result>) => Promise<Result>;
  /** Begins an episode, unless there is one. */
  readonly failed: (error: unknown) => void;
};

/** Not tried, because it failed a moment ago. */
export class SparedError extends Error {}

const PAUSE_MS = 1_000;

/** @param what is away, for the log: once when an episode begins, once when it ends */
export const createEpisodes = (what: string, { log, count }: EpisodeOptions): Episodes => {
  let failing = false;
  let pausedUntil = 0;
  const failed = (error: unknown) => {
    if (!failing) {
      // The message alone: what Redis or a driver adds are commands and their parameters.
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason, store: what }, 'a store is away; going on without it');
    }
    failing = true;
    pausedUntil = performance.now() + PAUSE_MS;
    count?.();
  };
  const recovered = () => {
    if (failing) log.info({ store: what }, 'a store is back');
    failing = false;
  };
  return {
    failed,
    run: async (operation) => {
      if (performance.now() < pausedUntil) {
        count?.();
        throw new SparedError(`${what}: failed a moment ago`);
      }
      try {
        const result = await operation();
        recovered();
        return result;
      } catch (error) {
        failed(error);
        throw error;
      }
    },
  };
};
