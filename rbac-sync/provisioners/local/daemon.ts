/**
 * A program that runs in the background and outlives us when we crash: its pid is in a file that it
 * writes itself before it becomes the program, so that whoever comes next finds it.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What to run, and where to keep its pid and its output. */
export type Daemon = {
  readonly program: string;
  readonly args: readonly string[];
  readonly pidFile: string;
  readonly logFile: string;
  /** A text in the arguments that no other process has; a pid alone may have been reused. */
  readonly mark: string;
};

const STOP_MS = 20_000;

/** Starts the program unless it runs already. @throws when it can't be executed */
export const ensureStarted = async (daemon: Daemon): Promise<void> => {
  if (await isRunning(daemon)) return;
  await rm(daemon.pidFile, { force: true });
  const log = openSync(daemon.logFile, 'w', 0o600);
  try {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        'umask 077; echo $$ >"$0.draft" && mv "$0.draft" "$0" && exec "$@"',
        daemon.pidFile,
        daemon.program,
        ...daemon.args,
      ],
      // A session of its own: a terminal's Ctrl-C must not stop it before we have drained.
      { detached: true, stdio: ['ignore', log, log], cwd: '/' },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
  } finally {
    closeSync(log);
  }
  await untilPidFile(daemon);
};

const untilPidFile = async (daemon: Daemon): Promise<void> => {
  for (let waited = 0; waited < 5_000; waited += 10) {
    if ((await readPid(daemon)) !== undefined) return;
    await delay(10);
  }
  throw new Error(`${daemon.program} did not start; see ${daemon.logFile}`);
};

/** Whether the program runs, by its pid file and its command line. */
export const isRunning = async (daemon: Daemon): Promise<boolean> => {
  const pid = await readPid(daemon);
  return pid !== undefined && (await commandLine(pid)).includes(daemon.mark);
};

/** Whether the program runs and got this argument when it was started. */
export const isRunningWith = async (daemon: Daemon, argument: string): Promise<boolean> => {
  const pid = await readPid(daemon);
  const line = pid === undefined ? '' : await commandLine(pid);
  return line.includes(daemon.mark) && line.split(/[\0 ]/).includes(argument);
};

/** Stops the program: asks first, and kills it when it has not gone after 20 seconds. */
export const ensureStopped = async (daemon: Daemon): Promise<void> => {
  const pid = await readPid(daemon);
  const deadline = Date.now() + STOP_MS;
  for (let signal: NodeJS.Signals | undefined = 'SIGTERM'; pid && (await isRunning(daemon)); ) {
    if (signal) kill(pid, signal);
    signal = Date.now() > deadline ? 'SIGKILL' : undefined;
    await delay(20);
  }
  await rm(daemon.pidFile, { force: true });
};

/** The end of what the program wrote, for an error that says why it isn't there. */
export const lastWords = async (daemon: Daemon): Promise<string> => {
  const text = await readFile(daemon.logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-5).join('\n');
};

const readPid = async ({ pidFile }: Daemon): Promise<number | undefined> => {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
};

/** Empty for a process that is gone, or dead and not yet reaped. */
const commandLine = async (pid: number): Promise<string> => {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'args=', '-p', `${pid}`], (error, output) =>
      resolve(error ? '' : output),
    );
  });
};

const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It went by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};
