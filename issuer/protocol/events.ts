/** What the provider reports, counted and logged: codes and descriptions, never tokens. */
import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from '#runtime/log.ts';
import { requestIdOf } from '../http/request.ts';
import { DEVICE_CODE_GRANT } from './clients.ts';
import { tokenIdsOf } from './token-events.ts';

/** What {@link createProviderObserver} needs. */
export type ObserverDeps = { readonly log: Logger; readonly metrics: Registry };

const ENDPOINT_ERRORS = [
  'authorization.error',
  'grant.error',
  'revocation.error',
  'introspection.error',
  'pushed_authorization_request.error',
  'userinfo.error',
  'device_authorization.error',
  'code_verification.error',
  'device_resume.error',
  'end_session.error',
  'end_session_confirm.error',
  'backchannel.error',
] as const;

type ProviderError = Error & { error?: string; error_description?: string; error_detail?: string };

const GRANTED = 'granted';

/**
 * Counts grants in `oidc_grants_total` and errors in `oidc_errors_total`, and logs errors, of any number of
 * providers one after the other.
 */
export const createProviderObserver = ({
  log,
  metrics,
}: ObserverDeps): ((provider: Provider) => void) => {
  const grants = new Counter({
    name: 'oidc_grants_total',
    help: 'Token requests, by grant type and by what came of them: granted, or the OAuth error.',
    labelNames: ['grant_type', 'result'],
    registers: [metrics],
  });
  const failures = new Counter({
    name: 'oidc_errors_total',
    help: 'Requests that were refused or failed, by endpoint event and OAuth error.',
    labelNames: ['event', 'error'],
    registers: [metrics],
  });
  const report = (event: string) => (ctx: KoaContextWithOIDC, error: ProviderError) => {
    const result = error.error ?? 'server_error';
    failures.inc({ event, error: result });
    if (event === 'grant.error') grants.inc({ grant_type: grantTypeOf(ctx), result });
    log.warn({ ...contextOf(ctx), event, ...toLog(error) }, 'request refused');
  };
  return (provider) => {
    provider.on('grant.success', (ctx) => {
      grants.inc({ grant_type: grantTypeOf(ctx), result: GRANTED });
    });
    provider.on('grant.revoked', (ctx) => log.info(contextOf(ctx), 'grant revoked'));
    // The published types name only some of the events.
    const emitter: EventEmitter = provider;
    for (const event of ENDPOINT_ERRORS) emitter.on(event, report(event));
    emitter.on('error', (error: unknown) => log.error({ err: error }, 'request failed'));
    provider.on('server_error', (ctx, error) => {
      const result = 'server_error';
      if (ctx.oidc?.route === 'token') grants.inc({ grant_type: grantTypeOf(ctx), result });
      failures.inc({ event: 'server_error', error: 'server_error' });
      log.error({ ...contextOf(ctx), err: error }, 'request failed');
    });
  };
};

const GRANT_TYPE_NAMES: Readonly<Record<string, string>> = {
  authorization_code: 'authorization_code',
  refresh_token: 'refresh_token',
  client_credentials: 'client_credentials',
  [DEVICE_CODE_GRANT]: 'device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'token_exchange',
};

/** One of a few: a label that anyone could choose would fill the memory. */
const grantTypeOf = ({ oidc }: KoaContextWithOIDC): string =>
  GRANT_TYPE_NAMES[String(oidc?.params?.['grant_type'])] ?? 'other';

const contextOf = (ctx: KoaContextWithOIDC) => ({
  request_id: requestIdOf(ctx),
  ...tokenIdsOf(ctx),
});

const toLog = ({ error, error_description, error_detail, message, cause }: ProviderError) => ({
  error,
  error_description,
  // What isn't an OAuth error has only a message, such as that a client could not be told of a logout.
  error_detail: error_detail ?? (error === undefined ? explain(message, cause) : undefined),
});

const explain = (message: string, cause: unknown): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message;
