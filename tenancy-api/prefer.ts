/** `Prefer: wait=N` (RFC 7240): answers when the awaited has come about, or after N seconds. */
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import type { Readiness } from '#runtime/lifecycle.ts';
import type { Reply, Route } from './route.ts';

const MAX_WAIT_SECONDS = 30;
// The doorbell may lose a ring; looking again after this time, it costs a moment and not the answer.
const LOOK_AGAIN_MS = 1_000;

/** The seconds that a Prefer header asks to wait, at most 30; 0 when it doesn't. */
export const readPreferredWait = (header: string): number => {
  const value = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(header)?.[1];
  return Math.min(Number(value ?? 0), MAX_WAIT_SECONDS);
};

/** What {@link waitForFinal} needs. */
export type WaitDeps = {
  readonly doorbell: Doorbell;
  readonly readiness: Readiness;
  /** Carries out the request, in a transaction of its own. */
  readonly ask: () => Promise<Reply>;
};

/**
 * Asks again on each ring for the awaited workspace until the reply is final or the time is over.
 * Holds no transaction while it waits.
 */
export const waitForFinal = async (
  route: Route,
  seconds: number,
  { doorbell, ask, readiness }: WaitDeps,
): Promise<Reply> => {
  const { waitsFor } = route;
  let reply = await ask();
  let workspaceId = waitsFor?.(reply);
  if (workspaceId === undefined || seconds === 0) return reply;
  const deadline = Date.now() + seconds * 1000;
  let wake = Promise.withResolvers<void>();
  const stop = await doorbell.listen(DOORBELL_SUBJECTS.workspaceObserved, (id) => {
    if (id === workspaceId) wake.resolve();
  });
  try {
    // A service that is told to stop answers what it knows.
    while (workspaceId !== undefined && Date.now() < deadline && readiness.ready) {
      // Armed before the look, so that a ring in between is not missed.
      wake = Promise.withResolvers<void>();
      reply = await ask();
      workspaceId = waitsFor?.(reply);
      if (workspaceId !== undefined) await pause(wake.promise, deadline);
    }
  } finally {
    stop();
  }
  return { ...reply, headers: { ...reply.headers, 'Preference-Applied': `wait=${seconds}` } };
};

const pause = async (rung: Promise<void>, deadline: number): Promise<void> => {
  const timer = Promise.withResolvers<void>();
  const milliseconds = Math.max(0, Math.min(LOOK_AGAIN_MS, deadline - Date.now()));
  const timeout = setTimeout(timer.resolve, milliseconds);
  await Promise.race([rung, timer.promise]);
  clearTimeout(timeout);
};
