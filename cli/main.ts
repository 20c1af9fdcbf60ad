#!/usr/bin/env node
/**
 * The `hexabase` command. `get-token` is a client-go credential plugin: kubectl runs it, through the
 * kubeconfig, whenever it needs a token.
 */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';
import { getToken } from './get-token.ts';
import { createTokenCache, defaultCacheDirectory } from './token-cache.ts';

type Options = {
  issuerUrl: URL;
  clientId: string;
  certificateAuthority?: string;
  certificateAuthorityData?: string;
  grantType: 'authcode' | 'device-code';
  listenAddress: string;
  tokenType: 'id_token' | 'access_token';
  output: 'exec-credential' | 'token';
  forceRefresh: boolean;
  cacheDir: string;
};

const parseIssuer = (text: string): URL => {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw new InvalidArgumentError('It must be an https:// URL.');
  }
  return new URL(text);
};

const readCertificateAuthority = (options: Options): string | undefined => {
  if (options.certificateAuthorityData !== undefined) {
    return Buffer.from(options.certificateAuthorityData, 'base64').toString('utf8');
  }
  return options.certificateAuthority === undefined
    ? undefined
    : readFileSync(options.certificateAuthority, 'utf8');
};

const program = new Command('hexabase')
  .description('Hexabase KaaS on the command line')
  .showHelpAfterError();

program
  .command('get-token')
  .description('print a token for kubectl, signing in when there is none')
  .requiredOption('--issuer-url <url>', 'the issuer', parseIssuer)
  .requiredOption('--client-id <id>', 'the workspace (or hexabase-cli, for the API)')
  .option(
    '--certificate-authority <file>',
    'PEM file of the authority that signed the issuer’s certificate',
  )
  .option('--certificate-authority-data <base64>', 'the same, in base64')
  .addOption(
    new Option(
      '--grant-type <type>',
      'how to sign in: in a browser here, or with a code on any device',
    )
      .choices(['authcode', 'device-code'])
      .default('authcode'),
  )
  .option(
    '--listen-address <addresses>',
    'where the browser comes back to; the first that is free',
    '127.0.0.1:8000,127.0.0.1:18000',
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
  .option('--cache-dir <directory>', 'where tokens are kept', defaultCacheDirectory(process.env))
  .action(async (options: Options) => {
    const token = await getToken({
      ...options,
      certificateAuthority: readCertificateAuthority(options),
      listenAddresses: options.listenAddress.split(','),
      browser: process.env['BROWSER'],
      cache: createTokenCache(options.cacheDir),
      notify: (message) => process.stderr.write(`${message}\n`),
    });
    process.stdout.write(
      options.output === 'token' ? `${token.value}\n` : `${execCredential(token)}\n`,
    );
  });

/** ExecCredential of client.authentication.k8s.io/v1, the answer that kubectl reads. */
const execCredential = (token: { value: string; expiresAt: Date }): string =>
  JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: {
      token: token.value,
      expirationTimestamp: token.expiresAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    },
  });

/** What went wrong in words: the issuer's own, where it gave any (RFC 6749, 4.1.2.1 and 5.2). */
const explain = (error: unknown): string => {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    return `the issuer refused: ${error.error_description ?? error.error}`;
  }
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
};

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`hexabase: ${explain(error)}\n`);
  process.exitCode = 1;
}
