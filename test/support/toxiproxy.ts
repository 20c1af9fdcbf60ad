/** A bad network between the issuer and what it needs: Shopify's toxiproxy, from the PATH or built with Go. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findFreePort } from '../../quickstart/embedded-postgres.ts';
import { buildWithGo, findOnPath } from '../../quickstart/go.ts';
import { poll } from './poll.ts';

const MODULE = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0';

/** What is wrong with a network. */
export type Fault =
  /** Every connection, old and new, is reset. */
  | { readonly type: 'reset' }
  /** Nothing passes, and nobody says so. */
  | { readonly type: 'silence' }
  /** Answers take longer. */
  | { readonly type: 'latency'; readonly milliseconds: number }
  /** Nothing listens, and open connections are closed. */
  | { readonly type: 'down' };

/** A way to a server, with faults. */
export type FaultyLink = {
  readonly port: number;
  /** One fault from now on, instead of any other. */
  readonly suffer: (fault: Fault) => Promise<void>;
  /** All is well again. */
  readonly heal: () => Promise<void>;
};

/** A running toxiproxy. */
export type Toxiproxy = AsyncDisposable & {
  /** @param port of the server on this machine */
  readonly link: (port: number) => Promise<FaultyLink>;
};

/** @throws when there is no binary and no Go, saying what to install */
export const startToxiproxy = async (): Promise<Toxiproxy> => {
  const program = (await findOnPath('toxiproxy-server')) ?? (await buildToxiproxy());
  const port = await findFreePort();
  const server = spawn(program, ['-host', '127.0.0.1', '-port', `${port}`], { stdio: 'ignore' });
  const call = createCall(`http://127.0.0.1:${port}`);
  await poll('toxiproxy', () => call('GET', '/version').then(() => true));
  return {
    link: async (upstream) => createLink(call, { upstream, port: await findFreePort() }),
    [Symbol.asyncDispose]: async () => {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
    },
  };
};

type Call = (method: string, path: string, body?: object) => Promise<void>;

const createCall =
  (api: string): Call =>
  async (method, path, body) => {
    const response = await fetch(`${api}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`toxiproxy: ${method} ${path}: ${response.status} ${text}`);
  };

const createLink = async (
  call: Call,
  { upstream, port }: { readonly upstream: number; readonly port: number },
): Promise<FaultyLink> => {
  const name = `to-${upstream}-${port}`;
  const listen = `127.0.0.1:${port}`;
  await call('POST', '/proxies', { name, listen, upstream: `127.0.0.1:${upstream}` });
  let toxic = false;
  const heal = async () => {
    if (toxic) await call('DELETE', `/proxies/${name}/toxics/fault`);
    toxic = false;
    await call('POST', `/proxies/${name}`, { enabled: true });
  };
  return {
    port,
    heal,
    suffer: async (fault) => {
      await heal();
      if (fault.type === 'down') {
        await call('POST', `/proxies/${name}`, { enabled: false });
        return;
      }
      toxic = true;
      await call('POST', `/proxies/${name}/toxics`, { name: 'fault', ...toToxic(fault) });
    },
  };
};

const toToxic = (fault: Exclude<Fault, { type: 'down' }>): object => {
  if (fault.type === 'latency') {
    return { type: 'latency', stream: 'downstream', attributes: { latency: fault.milliseconds } };
  }
  return fault.type === 'reset'
    ? { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } }
    : // A timeout of none holds everything back until the toxic is taken away.
      { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } };
};

const buildToxiproxy = (): Promise<string> =>
  buildWithGo({
    name: 'server',
    inputs: [MODULE],
    notice: `Building ${MODULE}; once, about ten seconds …`,
    alternative: 'put toxiproxy-server on the PATH',
    command: (directory) => ({
      args: ['install', '-ldflags', '-s -w', MODULE],
      env: { GOBIN: directory },
    }),
  });
