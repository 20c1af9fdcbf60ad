/** A service as a process of its own, with everything that it writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { poll } from './poll.ts';

/** A process of a service. */
export type ServiceProcess = AsyncDisposable & {
  /** Standard output and standard error so far. */
  readonly output: () => string;
  /** Asks it to stop, and answers its exit code. */
  readonly stop: () => Promise<number | null>;
};

/**
 * Starts `<service>/main.ts`.
 *
 * @throws with its output when it ends before it is ready
 */
export const startService = async (
  service: 'issuer' | 'tenancy-api',
  environment: Readonly<Record<string, string>>,
): Promise<ServiceProcess> => {
  const main = fileURLToPath(new URL(`../../${service}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'], ...environment },
  });
  let output = '';
  const exited = once(child, 'close');
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    await exited;
    return child.exitCode;
  };
  await poll(`${service} to be ready or ended`, async () => {
    return child.exitCode !== null || output.includes('"msg":"ready"');
  });
  if (child.exitCode !== null) throw new Error(`${service} has ended:\n${output}`);
  return {
    output: () => output,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
};
