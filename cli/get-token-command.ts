/** `hexabase get-token`: a client-go credential plugin, and a token for scripts that call the API. */
import { type Command, Option } from 'commander';
import { getToken, type Token } from './get-token.ts';
import { addSignInOptions, type SignInFlags, toSignIn } from './options.ts';

type Flags = SignInFlags & {
  readonly clientId: string;
  readonly tokenType: 'id_token' | 'access_token';
  readonly output: 'exec-credential' | 'token';
  readonly forceRefresh: boolean;
};

/** Adds the command to the program. */
export const addGetTokenCommand = (program: Command): void => {
  addSignInOptions(
    program
      .command('get-token')
      .description('print a token for kubectl, signing in when there is none')
      .requiredOption('--client-id <id>', 'the workspace (or hexabase-cli, for the API)'),
  )
    .addOption(
      new Option('--token-type <type>', 'kubectl takes ID tokens, the API access tokens')
        .choices(['id_token', 'access_token'])
        .default('id_token'),
    )
    .addOption(
      new Option('-o, --output <format>')
        .choices(['exec-credential', 'token'])
        .default('exec-credential'),
    )
    .option('--force-refresh', 'get a new token even if the cached one is valid', false)
    .action(run);
};

const run = async (flags: Flags): Promise<void> => {
  const { clientId, tokenType, forceRefresh } = flags;
  const token = await getToken({ ...toSignIn(flags), clientId, tokenType, forceRefresh });
  const text = flags.output === 'token' ? token.value : toExecCredential(token);
  process.stdout.write(`${text}\n`);
};

/** ExecCredential of client.authentication.k8s.io/v1, the answer that kubectl reads. */
const toExecCredential = (token: Token): string =>
  JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: {
      token: token.value,
      expirationTimestamp: token.expiresAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    },
  });
