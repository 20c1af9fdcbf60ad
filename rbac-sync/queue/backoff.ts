/** How long to wait before trying again. */

/** Bounds of {@link backoffMs}. */
export type Backoff = {
  readonly baseMs: number;
  readonly capMs: number;
  /** A number in [0, 1), as `Math.random`. */
  readonly random: () => number;
};

/**
 * Exponential back-off with jitter: doubles with each failure up to the cap, and then a random half
 * of it is taken off, so that many who failed together don't come back together.
 *
 * @param failures how often it failed in a row; below 1 counts as 1
 */
export const backoffMs = (failures: number, { baseMs, capMs, random }: Backoff): number => {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return full * (0.5 + 0.5 * random());
};
