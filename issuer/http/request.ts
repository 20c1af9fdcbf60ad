/** Each request's number and its line in the log. */
import { randomUUID } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Logger } from '#runtime/log.ts';
import { toLoggedPath } from '#runtime/logged-path.ts';

const REQUEST_ID = /^[\w.:-]{8,128}$/;

/** The number of a request, which error pages show and logs carry. */
export const requestIdOf = (ctx: Pick<Context, 'state'>): string =>
  String(ctx.state['requestId'] ?? 'unknown');

/** Where a change came from, for the audit. */
export type SignInContext = { readonly requestId: string; readonly ip: string };

/** What the audit keeps of a request. */
export const contextOf = (ctx: Pick<Context, 'state' | 'ip'>): SignInContext => ({
  requestId: requestIdOf(ctx),
  ip: ctx.ip,
});

/** W3C Trace Context §3.2: version, trace, span of the caller, flags. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The trace that a request belongs to, as its caller says. */
export const traceOf = (
  traceparent: string,
): { readonly trace_id?: string; readonly parent_span_id?: string } => {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent) ?? [];
  return traceId && spanId ? { trace_id: traceId, parent_span_id: spanId } : {};
};

/**
 * Gives each request its number, the caller's own when it is well-formed, and logs how it ended.
 *
 * @param describe what else is known of a request by then, such as the client
 */
export const logRequests =
  (log: Logger, describe: (ctx: Context) => object = () => ({})): Middleware =>
  async (ctx, next) => {
    const given = ctx.get('x-request-id');
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    const started = performance.now();
    ctx.state['requestId'] = requestId;
    ctx.set('X-Request-Id', requestId);
    try {
      await next();
    } finally {
      const path = withoutSecrets(ctx.path);
      const duration = Math.round(performance.now() - started);
      const { method, status } = ctx;
      const ids = { request_id: requestId, ...traceOf(ctx.get('traceparent')), ...describe(ctx) };
      log.info({ ...ids, method, path, status, duration }, 'request');
    }
  };

/**
 * Reads on and forgets what is left of a body that was too long. Left in the connection it would stand before
 * the next request there, which may be somebody else's behind a proxy.
 */
export const discardUnread: Middleware = async (ctx, next) => {
  try {
    await next();
  } finally {
    if (!ctx.req.complete) ctx.req.resume();
  }
};

/** Paths of interactions hold what their cookies hold, however the rest is spelled. */
export const withoutSecrets = (path: string): string =>
  toLoggedPath(path.replace(/(^|\/)(interaction|auth|device)(\/+)(?!auth$)[^/]+/i, '$1$2$3:uid'));
