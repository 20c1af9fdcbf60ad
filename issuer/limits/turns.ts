/** Work that costs much, a few at once: what comes on top waits, and what would wait too long is refused. */

// By then a queue that was full has moved on.
const RETRY_AFTER_SECONDS = 5;

/** Too much is waiting already; it has nothing to do with who asks. */
export class BusyError extends Error {
  readonly status = 503;
  readonly statusCode = 503;
  readonly expose = true;
  /** Whole seconds, for Retry-After (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds = RETRY_AFTER_SECONDS;
  constructor() {
    super(`too much is going on at once; try again in ${RETRY_AFTER_SECONDS} seconds`);
    this.name = 'BusyError';
  }
}

/** How many at once, and how many may wait. */
export type TurnsOptions = { readonly atOnce: number; readonly waiting: number };

/**
 * Does some work in its turn, in the order of coming.
 *
 * @throws BusyError when too many wait, and whatever the work throws
 */
export type Turns = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Makes the turns of one kind of work. */
export const createTurns = ({ atOnce, waiting }: TurnsOptions): Turns => {
  const queue: (() => void)[] = [];
  let free = atOnce;
  const take = (): Promise<void> | undefined => {
    if (free > 0) {
      free -= 1;
      return undefined;
    }
    if (queue.length >= waiting) throw new BusyError();
    return new Promise((resolve) => queue.push(resolve));
  };
  const pass = (): void => {
    const next = queue.shift();
    // The turn goes over to whoever is next, and is never free in between.
    if (next) next();
    else free += 1;
  };
  return async (work) => {
    await take();
    try {
      return await work();
    } finally {
      pass();
    }
  };
};
