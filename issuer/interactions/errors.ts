/** The error page: for what the provider reports and for what its pages and ours run into. */
import type { Context, Middleware } from 'koa';
import { type Configuration, errors } from 'oidc-provider';
import { isOutage } from '#database/outage.ts';
import type { Logger } from '#runtime/log.ts';
import { UpstreamError, type UpstreamFailure } from '../connectors/connector.ts';
import { describeReason } from '../connectors/failure.ts';
import { wantsPage } from '../http/client-endpoints.ts';
import { requestIdOf } from '../http/request.ts';
import { RateLimitedError } from '../limits/limits.ts';
import { BusyError } from '../limits/turns.ts';
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
      if (!(error instanceof UpstreamError) && isOutage(error)) throw error;
      const view = toErrorView(error);
      ctx.remove('Location');
      if (error instanceof UpstreamError) logUpstream(log, ctx, error);
      else if (view.status >= 500) {
        log.error({ request_id: requestIdOf(ctx), err: error }, 'request failed');
      }
      sendErrorPage(ctx, { ...view, ...(error instanceof UpstreamError && retryOf(ctx)) });
    }
    if (ctx.status === 404 && ctx.body === undefined) {
      sendErrorPage(ctx, { status: 404, code: 'not_found', description: undefined });
    }
  };

const logUpstream = (log: Logger, ctx: Context, error: UpstreamError): void => {
  const { connector, failure } = error;
  log.warn(
    { request_id: requestIdOf(ctx), connector, failure, reason: describeReason(error) },
    'sign-in at a provider failed',
  );
};

/** Set where there is a page from which the same sign-in goes on. */
const retryOf = (ctx: Context): { readonly retryPath?: string } => {
  const retryPath: unknown = ctx.state['retryPath'];
  return typeof retryPath === 'string' ? { retryPath } : {};
};

/** Status of each failure at a provider; the page's words are those of `upstream_` and its name. */
const UPSTREAM_STATUS: Readonly<Record<UpstreamFailure, number>> = {
  denied: 403,
  unavailable: 502,
  invalid: 400,
  unverified_email: 403,
  not_allowed: 403,
  stale: 403,
  gone: 403,
};

/** What is told of an error. */
export type ShownError = {
  readonly status: number;
  readonly code: string;
  readonly description: string | undefined;
  /** Whole seconds, for Retry-After. */
  readonly retryAfter?: number;
  /** Where the same sign-in can be tried again. */
  readonly retryPath?: string;
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
  if (error instanceof BusyError) {
    return {
      status: error.status,
      code: 'temporarily_unavailable',
      description: error.message,
      retryAfter: error.retryAfterSeconds,
    };
  }
  if (error instanceof UpstreamError) {
    const code = `upstream_${error.failure}`;
    return { status: UPSTREAM_STATUS[error.failure], code, description: undefined };
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
  const page = errorPage(messagesFor(ctx), { ...shown, requestId: requestIdOf(ctx) });
  // An answer of a provider is no address to come back to in another language: it is good once.
  sendPage(ctx, page, { address: shown.retryPath });
};
