/** Waiting for the world to become so. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until the answer is something, and returns it. An error is an answer of nothing.
 *
 * @param what for the error message
 * @throws when there is still nothing at the deadline, with the last error as the cause
 */
export const poll = async <Result>(
  what: string,
  ask: () => Promise<Result | undefined | false>,
  deadlineMs = 20_000,
): Promise<Result> => {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    let cause: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`still waiting for ${what}`, { cause });
    await delay(10);
  }
};
