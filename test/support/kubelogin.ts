/** The real plugin `kubectl oidc-login` (https://github.com/int128/kubelogin), gone through by a willing person. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findOnPath } from '../../quickstart/go.ts';
import {
  createPageVisitor,
  type PageVisitor,
  type VisitedPage,
} from '../../quickstart/page-visitor.ts';
import type { CreateLogin, KubectlLogin, LoginOptions } from './kubectl-login.ts';
import { goThroughPages, SignInRefusedError } from './oidc-client.ts';

/** The plugin's own program. */
const PROGRAM = 'kubectl-oidc_login';

/**
 * Makes logins by the plugin on the PATH; `undefined` when there is none.
 *
 * @param cleanup removes their caches
 */
export const findKubelogin = async (
  cleanup: AsyncDisposableStack,
): Promise<CreateLogin | undefined> => {
  const program = await findOnPath(PROGRAM);
  return program === undefined
    ? undefined
    : (options) => createKubelogin({ program, cleanup }, options);
};

type Kubelogin = { readonly program: string; readonly cleanup: AsyncDisposableStack };

const createKubelogin = async (
  kubelogin: Kubelogin,
  options: LoginOptions,
  from?: string,
): Promise<KubectlLogin> => {
  const { program, cleanup } = kubelogin;
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-kubelogin-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  if (from !== undefined) await cp(from, directory, { recursive: true });
  let signIns = 0;
  return {
    getToken: (force) =>
      run(spawn(program, toArguments(directory, options, force)), async (address) => {
        signIns += 1;
        await signIn(address, options);
      }),
    copy: () => createKubelogin(kubelogin, options, directory),
    signIns: () => signIns,
  };
};

const toArguments = (
  directory: string,
  { issuerUrl, ca, clientId, grant }: LoginOptions,
  force: 'force-refresh' | undefined,
): string[] => [
  'get-token',
  `--oidc-issuer-url=${issuerUrl}`,
  `--oidc-client-id=${clientId}`,
  // Not by a path, which would be part of the cache's key.
  `--certificate-authority-data=${Buffer.from(ca).toString('base64')}`,
  `--token-cache-dir=${join(directory, 'cache')}`,
  `--grant-type=${grant}`,
  '--listen-address=127.0.0.1:0',
  '--skip-open-browser',
  ...(force ? ['--force-refresh'] : []),
];

const ADDRESS = /Please visit the following URL in your browser: (\S+)/;

/** Runs the plugin to its end; what it asks people to open is opened. */
const run = async (
  child: ChildProcess,
  onAddress: (address: string) => Promise<void>,
): Promise<string> => {
  const said: string[] = [];
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  const { promise: refused, reject } = Promise.withResolvers<never>();
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const [, address] = ADDRESS.exec(line) ?? [];
      if (address !== undefined) onAddress(address).catch(reject);
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  try {
    const code = await Promise.race([ended, refused]);
    if (code !== 0) throw new Error(`kubectl oidc-login: ${said.join(' ')}`);
    return (JSON.parse(output) as { status: { token: string } }).status.token;
  } finally {
    child.kill();
  }
};

/** @throws SignInRefusedError when the pages end elsewhere than at the plugin or at a device that is signed in */
const signIn = async (address: string, options: LoginOptions): Promise<void> => {
  const { origin } = new URL(address);
  const isDevice = origin === new URL(options.issuerUrl).origin;
  // The plugin's own page leads to the issuer, and the issuer's back to it.
  const sites = isDevice ? [] : [origin, options.issuerUrl];
  await using visitor = createPageVisitor(options.ca, {}, sites);
  const start = await visitor.open(address);
  const checked = isDevice ? await checkCode(visitor, start) : start;
  const end = await goThroughPages(visitor, checked, options);
  const isDone = isDevice ? end.text.includes('You are signed in') : end.url.origin === origin;
  if (!isDone) throw new SignInRefusedError(end);
};

/** The code is in the address; the person looks at it and goes on. */
const checkCode = async (visitor: PageVisitor, start: VisitedPage): Promise<VisitedPage> => {
  const isEntry = start.document.querySelector('[name=confirm]') === null;
  const page = isEntry ? await visitor.submit(start, { having: 'user_code' }) : start;
  return visitor.submit(page, { having: 'confirm' });
};
