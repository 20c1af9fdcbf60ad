/** The error page: for what the provider reports and for what its pages and ours run into. */
import type { Context, Middleware } from 'koa';
import { type Configuration, errors } from 'oidc-provider';
import { isOutage } from '#database/outage.ts';
import type { Logger } from '#runtime/log.ts';
import { wantsPage } from '../http/client-endpoints.ts';
import { requestIdOf } from '../http/request.ts';
import { RateLimitedError } from '../limits/limits.ts';
import { errorPage } from '../views/error.ts';
import { messagesFor } from '../views/messages/messages.ts';
import { sendPage } from '../views/page.ts';

/** Shows the provider's errors to people. */
export const renderProviderError: NonNullable<Configuration['renderError']> = (ctx, out, error) => {
  sendErrorPage(ctx, {
    status: ctx.status,
    code: error instanceof errors.SessionNotFound ? 'expired' : out.error,
    description: out.error_description,
  });
};

/** Shows an error page for whatever is thrown below, and for addresses where nothing is. */
export const showErrors =
  (log: Logger): Middleware =>
  async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (isOutage(error)) throw error;
      const view = toErrorView(error);
      ctx.remove('Location');
      if (view.status >= 500) {
        log.error({ request_id: requestIdOf(ctx), err: error }, 'request failed');
      }
      sendErrorPage(ctx, view);
    }
    if (ctx.status === 404 && ctx.body === undefined) {
      sendErrorPage(ctx, { status: 404, code: 'not_found', description: undefined });
    }
  };

/** What is told of an error. */
export type ShownError = {
  readonly status: number;
  readonly code: string;
  readonly description: string | undefined;
  /** Whole seconds, for Retry-After. */
  readonly retryAfter?: number;
};

const toErrorView = (error: unknown): ShownError => {
  if (error instanceof RateLimitedError) {
    const { status, message, retryAfterSeconds } = error;
    return {
      status,
      code: 'too_many_requests',
      description: message,
      retryAfter: retryAfterSeconds,
    };
  }
  if (error instanceof errors.SessionNotFound) {
    return { status: 400, code: 'expired', description: error.error_description };
  }
  if (error instanceof errors.OIDCProviderError && error.expose) {
    return { status: error.status, code: error.error, description: error.error_description };
  }
  const { status, expose, message } = error as { status?: number } & Record<string, unknown>;
  if (expose === true && status !== undefined) {
    return {
      status,
      code: status === 403 ? 'forbidden' : 'invalid_request',
      description: `${message}`,
    };
  }
  return { status: 500, code: 'server_error', description: undefined };
};

/** Answers with the error page, or with JSON for programs. */
export const sendErrorPage = (ctx: Context, shown: ShownError): void => {
  const { status, code, description, retryAfter } = shown;
  ctx.status = status;
  if (retryAfter !== undefined) ctx.set('Retry-After', `${retryAfter}`);
  if (!wantsPage(ctx)) {
    // OAuth has no word of its own for too many requests.
    const error = status === 429 ? 'temporarily_unavailable' : code;
    ctx.body = { error, error_description: description };
    return;
  }
  sendPage(ctx, errorPage(messagesFor(ctx), { ...shown, requestId: requestIdOf(ctx) }));
};
