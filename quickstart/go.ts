/** Builds programs from Go modules, once per content, into the cache. */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';

const run = promisify(execFile);

/** What to build, and what the result depends on. */
export type GoBuild = {
  readonly name: string;
  /** Everything that decides the content: sources, versions. */
  readonly inputs: readonly string[];
  /** What to say when it has to be built, e.g. how long that takes. */
  readonly notice: string;
  /** What to tell someone without Go. */
  readonly alternative: string;
  /** Arguments of `go`, given the output directory; `cwd` and variables for it. */
  readonly command: (directory: string) => {
    readonly args: readonly string[];
    readonly cwd?: string;
    readonly env?: Record<string, string>;
  };
};

/**
 * The path of the built program: from the cache, or built now.
 *
 * @throws when there is no Go, with what to install or set instead
 */
export const buildWithGo = async (build: GoBuild): Promise<string> => {
  const hash = createHash('sha256');
  for (const input of [process.platform, process.arch, ...build.inputs]) {
    hash.update(`${input.length}:`).update(input);
  }
  const directory = join(cacheDirectory(), `${build.name}-${hash.digest('hex').slice(0, 16)}`);
  const program = join(directory, build.name);
  if (await isExecutable(program)) return program;
  if ((await findOnPath('go')) === undefined) {
    throw new Error(
      `${build.name} has to be built and there is no Go on the PATH. Install Go 1.25 or later (https://go.dev/dl/), or ${build.alternative}.`,
    );
  }
  process.stderr.write(`${build.notice}\n`);
  // Built aside and moved whole: two builds at once, or one cut short, never leave half a program.
  const draft = `${directory}.${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  const { args, cwd, env } = build.command(draft);
  await run('go', args, {
    ...(cwd && { cwd }),
    env: { ...process.env, CGO_ENABLED: '0', ...env },
    maxBuffer: 64 << 20,
  });
  await rename(draft, directory).catch(() => rm(draft, { recursive: true }));
  return program;
};

/** The program's path on `PATH`, if it is there. */
export const findOnPath = async (name: string): Promise<string | undefined> => {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (directory !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
};

/** Whether a file is there and can be run. */
export const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
