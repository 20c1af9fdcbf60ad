/** Someone with an account on the stack, doing what people do: calling the API and running kubectl. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { Stack } from './stack.ts';

/** What a command printed and how it ended. */
export type CommandResult = { readonly exitCode: number; readonly output: string };

/** kubectl with a person's kubeconfig. */
export type Kubectl = {
  readonly kubeconfig: string;
  readonly run: (...args: string[]) => Promise<CommandResult>;
};

/** A person; they sign in, through the real pages, when first needed. */
export type Person = {
  readonly username: string;
  readonly api: ApiClient;
  /** Runs `hexabase get-token … --output token`; the token is the last line of the output. */
  readonly getToken: (clientId: string, ...args: string[]) => Promise<CommandResult>;
  /** kubectl with the kubeconfig that the API gives this person for a workspace. */
  readonly kubectl: (workspaceId: string) => Promise<Kubectl>;
};

const RENEW_MS = 60_000;

/** @throws (at each use) when signing in fails */
export const createPerson = (
  stack: Stack,
  { username, password }: { readonly username: string; readonly password: string },
): Person => {
  const environment = {
    BROWSER: stack.browser,
    HEXABASE_USERNAME: username,
    HEXABASE_PASSWORD: password,
    HEXABASE_CA_FILE: stack.certificateAuthorityPath,
  };
  const tokens = join(stack.directory, 'tokens', username);
  const getToken: Person['getToken'] = (clientId, ...args) =>
    runCommand(stack.command, [...tokenArguments(stack, clientId, tokens), ...args], environment);
  const api = createApiClient(
    stack.apiUrl,
    keepFor(RENEW_MS, async () =>
      lastToken(await getToken('hexabase-cli', '--token-type', 'access_token')),
    ),
  );
  return {
    username,
    api,
    getToken,
    kubectl: async (workspaceId) => {
      const { body } = await api.request(
        'GET',
        `/v1/workspaces/${workspaceId}/kubeconfig?plugin=hexabase`,
      );
      const kubeconfig = join(stack.directory, `${username}.kubeconfig`);
      await writeFile(kubeconfig, adapt(String(body), stack.command, tokens), { mode: 0o600 });
      return {
        kubeconfig,
        run: (...args) =>
          runCommand(
            stack.controlPlane.kubectl,
            ['--kubeconfig', kubeconfig, ...args],
            environment,
          ),
      };
    },
  };
};

/** The token in the output of `get-token`. @throws with the whole output when there is none */
export const lastToken = ({ output, exitCode }: CommandResult): string => {
  const token = output.trim().split('\n').at(-1) ?? '';
  if (exitCode !== 0 || !token.startsWith('ey')) throw new Error(`signing in failed: ${output}`);
  return token;
};

/** The claims of a JWT, for showing; nothing is verified. */
export const readClaims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));

const tokenArguments = (stack: Stack, clientId: string, cacheDirectory: string): string[] => [
  'get-token',
  '--issuer-url',
  stack.issuerUrl,
  '--client-id',
  clientId,
  '--certificate-authority',
  stack.certificateAuthorityPath,
  '--listen-address',
  '127.0.0.1:0',
  '--cache-dir',
  cacheDirectory,
  '--output',
  'token',
];

type Kubeconfig = { users: { user: { exec: { command: string; args: string[] } } }[] };

/**
 * The API's kubeconfig names the `hexabase` command of the PATH; here it is this checkout's, and
 * each person has a token cache of their own, because all of them sit at one machine.
 */
const adapt = (kubeconfig: string, command: string, cacheDirectory: string): string => {
  const content = parse(kubeconfig) as Kubeconfig;
  for (const { user } of content.users) {
    user.exec.command = command;
    user.exec.args.push('--cache-dir', cacheDirectory);
  }
  return stringify(content);
};

const keepFor = (milliseconds: number, get: () => Promise<string>): (() => Promise<string>) => {
  let kept: { value: Promise<string>; until: number } | undefined;
  return () => {
    if (!kept || Date.now() > kept.until) kept = { value: get(), until: Date.now() + milliseconds };
    return kept.value;
  };
};

const runCommand = (
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = execFile(file, args, { env, timeout: 240_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: child.exitCode ?? 0, output: `${stderr}${stdout}` });
    });
  });
