/** Redis for the tests, a server for each: redis-server from the PATH, or Debian's, installed as root. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { findFreePort } from '../../quickstart/embedded-postgres.ts';
import { findOnPath } from '../../quickstart/go.ts';

const run = promisify(execFile);
const PROGRAMS = ['redis-server', 'valkey-server'];
const INSTALL_MS = 300_000;

/** A running server, without persistence. */
export type RedisServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** Kills it as a crash does: everything in it is gone. */
  readonly kill: () => Promise<void>;
  /** Starts it again on its port, empty. */
  readonly restart: () => Promise<void>;
};

/** @throws when there is none and it can't be installed, saying what to install */
export const startRedis = async (): Promise<RedisServer> => {
  const program = await findRedis();
  const port = await findFreePort();
  const launch = async (): Promise<ChildProcess> => {
    const server = spawn(
      program,
      ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      { cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    await untilReady(server);
    return server;
  };
  let server = await launch();
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    restart: async () => {
      server = await launch();
    },
    [Symbol.asyncDispose]: kill,
  };
};

const untilReady = (server: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let output = '';
    server.once('error', reject);
    server.once('exit', (code) =>
      reject(new Error(`redis-server exited with ${code}:\n${output.slice(-2_000)}`)),
    );
    server.stdout?.on('data', (chunk) => {
      output += String(chunk);
      if (/ready to accept connections/i.test(output)) resolve();
    });
  });

const findRedis = async (): Promise<string> => {
  const found = await firstOnPath();
  if (found) return found;
  if (process.getuid?.() === 0 && (await findOnPath('apt-get'))) return installRedis();
  throw new Error('There is no Redis. Install it (Debian: `apt-get install redis-server`).');
};

const firstOnPath = async (): Promise<string | undefined> => {
  for (const program of PROGRAMS) {
    const path = await findOnPath(program);
    if (path) return path;
  }
  return undefined;
};

const installRedis = async (): Promise<string> => {
  process.stderr.write('Installing redis-server with apt-get; once, a few seconds …\n');
  const options = {
    timeout: INSTALL_MS,
    // The package's own service is not started where there is no policy that allows it.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    await run('apt-get', ['update'], options);
    await run('apt-get', ['install', '--yes', '--no-install-recommends', 'redis-server'], options);
  } catch (error) {
    throw new Error('redis-server could not be installed with apt-get: install it', {
      cause: error,
    });
  }
  const path = await firstOnPath();
  if (path) return path;
  throw new Error('apt-get installed redis-server, but it is not on the PATH');
};
