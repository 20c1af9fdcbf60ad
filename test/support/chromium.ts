/** Headless Chromium for the tests: `CHROMIUM_PATH`, one from the PATH, or Debian's, installed as root. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { findOnPath } from '../../quickstart/go.ts';

const run = promisify(execFile);
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL_MS = 300_000;

/**
 * Starts Chromium. Disposing of the browser closes it.
 *
 * @throws when there is none and it can't be installed, saying what to install or set
 */
export const launchChromium = async (): Promise<Browser> => {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: await findChromium(isRoot),
    // Chromium's own sandbox refuses to run as root.
    args: isRoot ? ['--no-sandbox'] : [],
  });
};

const findChromium = async (isRoot: boolean): Promise<string> => {
  const given = process.env['CHROMIUM_PATH'];
  if (given) {
    await access(given);
    return given;
  }
  const found = await firstOnPath();
  if (found) return found;
  if (isRoot && (await findOnPath('apt-get'))) return installChromium();
  throw new Error(
    'There is no Chromium. Install it (Debian: `apt-get install chromium`), or set CHROMIUM_PATH to one.',
  );
};

const firstOnPath = async (): Promise<string | undefined> => {
  for (const program of PROGRAMS) {
    const path = await findOnPath(program);
    if (path) return path;
  }
  return undefined;
};

const installChromium = async (): Promise<string> => {
  process.stderr.write('Installing chromium with apt-get; once, about a minute …\n');
  const options = {
    timeout: INSTALL_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    await run('apt-get', ['update'], options);
    await run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], options);
  } catch (error) {
    throw new Error(
      'chromium could not be installed with apt-get: install it, or set CHROMIUM_PATH',
      {
        cause: error,
      },
    );
  }
  const path = await firstOnPath();
  if (path) return path;
  throw new Error('apt-get installed chromium, but it is not on the PATH: set CHROMIUM_PATH');
};
