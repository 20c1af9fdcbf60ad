/** The guide, as a reader follows it: every command in it, in order, in one shell. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stack, startStack } from '../../quickstart/stack.ts';

const PASSWORD = 'guide-only';
const run = promisify(execFile);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    accounts: [{ subject: 'ada', name: 'Ada', email: 'ada@example.test' }],
    password: PASSWORD,
    notify: () => {},
  });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const readCommands = async (): Promise<string[]> => {
  const guide = await readFile(new URL('../../docs/guide.md', import.meta.url), 'utf8');
  return Array.from(guide.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block);
};

it('works from its first command to its last', async () => {
  const commands = await readCommands();
  expect(commands.length).toBeGreaterThan(15);
  // `-x` tells in the output which command it was that failed.
  const { stdout, stderr } = await run(
    'bash',
    ['--norc', '-euxo', 'pipefail', '-c', commands.join('\n')],
    {
      cwd: stack.directory,
      env: {
        ...process.env,
        PATH: [
          dirname(stack.command),
          dirname(stack.controlPlane.kubectl),
          process.env['PATH'],
        ].join(delimiter),
        API: stack.apiUrl,
        ISSUER: stack.issuerUrl,
        CA: stack.certificateAuthorityPath,
        BROWSER: stack.browser,
        HEXABASE_USERNAME: 'ada',
        HEXABASE_PASSWORD: PASSWORD,
        HEXABASE_CA_FILE: stack.certificateAuthorityPath,
        XDG_CACHE_HOME: join(stack.directory, 'cache'),
      },
      maxBuffer: 16 << 20,
    },
  ).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr.slice(-4000)}`);
  });
  expect(stderr).not.toContain('unbound variable');
  expect(stdout).toContain('"succeeded"');
});
