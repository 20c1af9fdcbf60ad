#!/usr/bin/env node
/**
 * The `hexabase` command. `get-token` is a client-go credential plugin: kubectl runs it, through the
 * kubeconfig, whenever it needs a token. Exit code 2 is an error; the other codes are each command's own.
 */
import { Command, CommanderError } from 'commander';
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';
import { addDiffCommand } from './diff-command.ts';
import { addGetTokenCommand } from './get-token-command.ts';
import { toPrintable } from './printable.ts';

const ERROR = 2;

/** What to do about a connection that could not be made. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: see --issuer-url and --api-url.',
  ENOTFOUND: 'There is no such host: see --issuer-url and --api-url.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Name its authority with --certificate-authority.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Name its authority with --certificate-authority.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Name its authority with --certificate-authority.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Name its authority with --certificate-authority.',
};

/** What went wrong in words: the issuer's own, where it gave any (RFC 6749, 4.1.2.1 and 5.2). */
const explain = (error: unknown): string => {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    return `the issuer refused: ${error.error_description ?? error.error}`;
  }
  if (!(error instanceof Error)) return String(error);
  if (!(error.cause instanceof Error)) return error.message;
  const { message, code = '' } = error.cause as NodeJS.ErrnoException;
  // Node's own advice is about Node.
  const [what] = message.split('; if the root CA');
  return [`${error.message}: ${what}`, HINTS[code]].filter(Boolean).join('\n');
};

const program = new Command('hexabase')
  .description('Hexabase KaaS on the command line')
  .showHelpAfterError()
  .exitOverride();
addGetTokenCommand(program);
addDiffCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said itself what is wrong with the arguments, or shown its help.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : ERROR;
  else {
    // What an API server or the issuer said is in it.
    process.stderr.write(`hexabase: ${explain(error).split('\n').map(toPrintable).join('\n')}\n`);
    process.exitCode = ERROR;
  }
}
