/** Options that several commands have: where the issuer is, whom to trust, and how to sign in. */
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GetTokenOptions } from './get-token.ts';
import { createTokenCache, defaultCacheDirectory } from './token-cache.ts';

/** What commander makes of {@link addSignInOptions}. */
export type SignInFlags = {
  readonly issuerUrl: URL;
  readonly certificateAuthority?: string;
  readonly certificateAuthorityData?: string;
  readonly grantType: 'authcode' | 'device-code';
  readonly listenAddress: string;
  readonly cacheDir: string;
};

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** @throws InvalidArgumentError for anything that tokens should not be sent to */
export const parseUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (!url || !isSafe) {
    throw new InvalidArgumentError('It must be an https:// URL, or http:// on this machine.');
  }
  return url;
};

const parseIssuer = (text: string): URL => {
  const url = parseUrl(text);
  if (url.protocol !== 'https:') throw new InvalidArgumentError('It must be an https:// URL.');
  return url;
};

/** Adds the options to a command, which is answered. */
export const addSignInOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--issuer-url <url>', 'the issuer')
        .env('HEXABASE_ISSUER_URL')
        .argParser(parseIssuer)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--certificate-authority <file>',
        'PEM file of the authority that signed the issuer’s certificate',
      ).env('HEXABASE_CERTIFICATE_AUTHORITY'),
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
    .option('--cache-dir <directory>', 'where tokens are kept', defaultCacheDirectory(process.env));

/**
 * PEM of what is trusted: the authority that is named, else the system's and Node's own.
 *
 * @throws when the file that is named can't be read
 */
export const readCertificateAuthority = (flags: SignInFlags): string | string[] => {
  if (flags.certificateAuthorityData) {
    return Buffer.from(flags.certificateAuthorityData, 'base64').toString('utf8');
  }
  if (!flags.certificateAuthority) {
    return [...getCACertificates('default'), ...getCACertificates('system')];
  }
  try {
    return readFileSync(flags.certificateAuthority, 'utf8');
  } catch (error) {
    throw new Error('--certificate-authority (HEXABASE_CERTIFICATE_AUTHORITY) can’t be read', {
      cause: error,
    });
  }
};

/** What {@link getToken} is told of these options. */
export const toSignIn = (
  flags: SignInFlags,
): Omit<GetTokenOptions, 'clientId' | 'tokenType' | 'forceRefresh'> => ({
  issuerUrl: flags.issuerUrl,
  certificateAuthority: readCertificateAuthority(flags),
  grantType: flags.grantType,
  listenAddresses: flags.listenAddress.split(','),
  browser: process.env['BROWSER'],
  cache: createTokenCache(flags.cacheDir),
  notify: (message) => process.stderr.write(`${message}\n`),
});
