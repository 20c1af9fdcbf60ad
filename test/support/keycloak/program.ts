/** Keycloak (https://www.keycloak.org), fetched with Maven and built for a fast start, once, into the cache. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../../quickstart/cache.ts';
import { findOnPath, isExecutable } from '../../../quickstart/go.ts';

const VERSION = '26.7.3';
const UNPACK = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack';

const run = promisify(execFile);

/**
 * The path of `kc.sh`: from the cache, or fetched and built now, in about a minute.
 *
 * @throws when Java or Maven is missing, with what to install
 */
export const findKeycloak = async (): Promise<string> => {
  if (!(await findOnPath('java'))) throw missing('Java 17 or later', 'openjdk-17-jre-headless');
  const directory = join(cacheDirectory(), `keycloak-${VERSION}`);
  const program = join(directory, 'bin', 'kc.sh');
  if (await isExecutable(program)) return program;
  if (!(await findOnPath('mvn'))) throw missing('Maven', 'maven');
  process.stderr.write(`Fetching and building Keycloak ${VERSION}; once, about a minute …\n`);
  // Made aside and moved whole: two at once, or one cut short, never leave half a program.
  const draft = `${directory}.${randomUUID()}`;
  try {
    await fetchAndBuild(draft);
    await rename(join(draft, `keycloak-${VERSION}`), directory).catch(ignoreExisting);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return program;
};

const fetchAndBuild = async (draft: string): Promise<void> => {
  const options = { maxBuffer: 64 << 20 };
  const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  const unpack = [UNPACK, `-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`];
  await mkdir(draft, { recursive: true });
  // Without a project Maven leaves its markers in the working directory.
  await run('mvn', ['--quiet', '--batch-mode', ...unpack], { ...options, cwd: draft });
  const program = join(draft, `keycloak-${VERSION}`, 'bin', 'kc.sh');
  await run(program, ['build', '--db=dev-mem', '--health-enabled=true'], options);
};

const missing = (what: string, debianPackage: string): Error =>
  new Error(
    `The tests against Keycloak need ${what} on the PATH: install it (Debian: \`apt-get install ${debianPackage}\`).`,
  );

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
};
