/** Real kubectl, as one of the people of the quickstart. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Stack } from './stack.ts';

/** What a command printed and how it ended. */
export type CommandResult = { readonly exitCode: number; readonly output: string };

/** kubectl with a person's kubeconfig. */
export type Kubectl = {
  readonly kubeconfig: string;
  readonly run: (...args: string[]) => Promise<CommandResult>;
};

/** What {@link createKubectl} needs. */
export type KubectlOptions = {
  readonly stack: Stack;
  readonly username: string;
  /** The kubeconfig as the API gives it out. */
  readonly kubeconfig: string;
  /** Variables for the credential plugin, e.g. BROWSER. */
  readonly environment: Readonly<Record<string, string>>;
};

type Kubeconfig = {
  users: { user: { exec: { command: string; args: string[] } } }[];
};

/**
 * Writes the person's kubeconfig and returns kubectl with it. The API's kubeconfig names the
 * `hexabase` command of the PATH; here it is this checkout's, and each person has a token cache of
 * their own, because all of them sit at one machine.
 */
export const createKubectl = async (options: KubectlOptions): Promise<Kubectl> => {
  const { stack, username, environment } = options;
  const kubeconfig = join(stack.directory, `${username}.kubeconfig`);
  const content = parse(options.kubeconfig) as Kubeconfig;
  for (const { user } of content.users) {
    user.exec.command = stack.command;
    user.exec.args.push('--cache-dir', join(stack.directory, 'tokens', username));
  }
  await writeFile(kubeconfig, stringify(content), { mode: 0o600 });
  return {
    kubeconfig,
    run: (...args) =>
      runCommand(stack.controlPlane.kubectl, ['--kubeconfig', kubeconfig, ...args], environment),
  };
};

/** Runs a command to its end, whatever its exit code; standard output and error together. */
export const runCommand = (
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = execFile(file, args, { env, timeout: 240_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: child.exitCode ?? 0, output: `${stdout}${stderr}` });
    });
  });

/** The claims of a JWT, for showing; the API server verifies them. */
export const readClaims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));

/** The sample organisation, as an import's body. */
export const readSampleOrganization = async (): Promise<SampleOrganization> =>
  JSON.parse(await readFile(new URL('sample-organization.json', import.meta.url), 'utf8'));

/** Groups with their members by the connector's subjects. */
export type SampleOrganization = {
  readonly connector: string;
  readonly groups: readonly {
    readonly name: string;
    readonly parent: string | null;
    readonly members: readonly string[];
  }[];
};
