/**
 * What is answered while the database is away: 503 with Retry-After (RFC 9110 §15.6.4), on every endpoint
 * that needs it. oidc-provider would say 500, or send people on to their program with `server_error`.
 */
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { isOutage } from '#database/outage.ts';
import type { Logger } from '#runtime/log.ts';
import { requestIdOf } from '../http/request.ts';
import { sendErrorPage } from './errors.ts';

const RETRY_AFTER_SECONDS = 5;

const DESCRIPTION = 'the issuer can’t reach its database; try again in a moment';

/** Answers 503 whenever a request failed because the database didn't answer, whoever noticed it. */
export const answerUnavailable = (provider: Provider, log: Logger): Middleware => {
  // The provider answers its failures itself, and only reports them.
  const failures = new WeakMap<object, unknown>();
  provider.on('server_error', (ctx, error) => failures.set(ctx.req, error));
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!isOutage(error)) throw error;
      failures.set(ctx.req, error);
    }
    const failure = failures.get(ctx.req);
    if (isOutage(failure)) {
      log.error({ request_id: requestIdOf(ctx), err: failure }, 'the database is not available');
      refuse(ctx);
    }
  };
};

const refuse = (ctx: Context): void => {
  // A cookie of what was never stored would be of no use, and neither is the way to a client with an error.
  ctx.remove('Set-Cookie');
  ctx.remove('Location');
  sendErrorPage(ctx, {
    status: 503,
    code: 'temporarily_unavailable',
    description: DESCRIPTION,
    retryAfter: RETRY_AFTER_SECONDS,
  });
};
