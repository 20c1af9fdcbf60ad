/** How a service starts, waits and stops. */
import type { Logger } from './log.ts';

/** Whether a service takes requests; false from the moment it is told to stop. */
export type Readiness = { ready: boolean };

/**
 * Resolves when the process is told to stop (SIGTERM or SIGINT); a second signal exits at once with 1.
 */
export const terminated = (log: Logger): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let signalled = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (signalled) process.exit(1);
      signalled = true;
      log.info({ signal }, 'stopping');
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });

/**
 * Runs a service: `start` opens what it needs on the stack, and everything on the stack is closed in
 * reverse when a signal comes or when starting fails half-way. Sets the exit code to 1 on failure.
 */
export const runService = async (
  log: Logger,
  start: (stack: AsyncDisposableStack, readiness: Readiness) => Promise<void>,
): Promise<void> => {
  const readiness: Readiness = { ready: false };
  try {
    await using stack = new AsyncDisposableStack();
    const stop = terminated(log);
    await start(stack, readiness);
    readiness.ready = true;
    log.info('ready');
    await stop;
    readiness.ready = false;
  } catch (error) {
    log.fatal({ err: error }, 'stopped by a fault');
    process.exitCode = 1;
  }
};
