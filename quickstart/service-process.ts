/** Runs one of the services as production does: a process of its own, told everything by its environment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The services, by the folder each lives in. */
export type ServiceName = 'issuer' | 'tenancy-api' | 'rbac-sync';

/** What {@link startService} needs. */
export type ServiceOptions = {
  readonly name: ServiceName;
  readonly environment: Readonly<Record<string, string>>;
  readonly logDirectory: string;
  /** Resolves once the service answers; called again and again until it does. */
  readonly isReady: () => Promise<boolean>;
};

/** A running service. */
export type ServiceProcess = AsyncDisposable & {
  readonly name: ServiceName;
  readonly pid: number;
  readonly logFile: string;
};

const READY_MS = 60_000;
const STOP_MS = 30_000;

/**
 * Starts a service and waits until it is ready.
 *
 * @throws with the end of its log when it stops or isn't ready within a minute
 */
export const startService = async (options: ServiceOptions): Promise<ServiceProcess> => {
  const { name, environment, logDirectory, isReady } = options;
  const logFile = join(logDirectory, `${name}.log`);
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  await once(log, 'open');
  const child = spawn(process.execPath, [join(ROOT, name, 'main.ts')], {
    // Nothing is inherited but what any program needs: the service is configured here alone.
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
    stdio: ['ignore', log, log],
    // A group of its own, so that Ctrl-C reaches whoever started it, who stops services in order.
    detached: true,
  });
  const deadline = Date.now() + READY_MS;
  while (!(await isReady().catch(() => false))) {
    if (hasExited(child) || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not become ready:\n${await tail(logFile)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    [Symbol.asyncDispose]: () => stop(child),
  };
};

const hasExited = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

const stop = async (child: ChildProcess): Promise<void> => {
  if (hasExited(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(force);
};

const tail = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).split('\n').slice(-15).join('\n');
