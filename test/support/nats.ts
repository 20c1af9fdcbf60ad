/** A NATS server for the tests: `NATS_URL`, or nats-server from the PATH, or one built with Go. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { findFreePort } from '../../quickstart/embedded-postgres.ts';
import { buildWithGo, findOnPath } from '../../quickstart/go.ts';

const MODULE = 'github.com/nats-io/nats-server/v2@v2.15.2';

/** A NATS server that can be reached at `url`. */
export type NatsServer = AsyncDisposable & { readonly url: string };

/** @throws when there is no server, no binary and no Go, saying what to install or set */
export const startNats = async (): Promise<NatsServer> => {
  const given = process.env['NATS_URL'];
  if (given) return { url: given, [Symbol.asyncDispose]: async () => {} };
  const program = (await findOnPath('nats-server')) ?? (await buildNats());
  const port = await findFreePort();
  const server = spawn(program, ['-a', '127.0.0.1', '-p', `${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    let output = '';
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`nats-server exited with ${code}:\n${output}`)));
    server.stderr.on('data', (chunk) => {
      output += String(chunk);
      if (output.includes('Server is ready')) resolve();
    });
  });
  return {
    url: `nats://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
    },
  };
};

const buildNats = (): Promise<string> =>
  buildWithGo({
    name: 'nats-server',
    inputs: [MODULE],
    notice: `Building ${MODULE}; once, about half a minute …`,
    alternative: 'put nats-server on the PATH, or set NATS_URL',
    command: (directory) => ({
      args: ['install', '-ldflags', '-s -w', MODULE],
      env: { GOBIN: join(directory) },
    }),
  });
