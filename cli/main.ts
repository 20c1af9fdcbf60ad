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

/** What went wrong in words: the issuer's own, where it gave any (RFC 6749, 4.1.2.1 and 5.2). */
const explain = (error: unknown): string => {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    return `the issuer refused: ${error.error_description ?? error.error}`;
  }
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
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
