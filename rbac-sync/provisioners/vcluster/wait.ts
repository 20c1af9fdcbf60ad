/** Waiting for something on the host, for so long and no longer. */
import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait, and what ends it early. */
export type Patience = {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
};

const ASK_MS = 250;

/**
 * Asks until the answer is something.
 *
 * @param onTimeout makes the error to throw at the deadline
 * @throws what `ask` throws, the signal's reason, or the error of `onTimeout`
 */
export const waitFor = async <Answer>(
  ask: () => Promise<Answer | undefined>,
  { deadline, signal }: Patience,
  onTimeout: () => Error,
): Promise<Answer> => {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw onTimeout();
    await delay(ASK_MS, undefined, { signal });
  }
};
