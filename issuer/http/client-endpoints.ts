/** What programs call, and browsers don't: no cookie counts there, and errors are JSON (RFC 6749 §5.2). */
import type { Context } from 'koa';

const CLIENT_ENDPOINTS = new Set([
  '/token',
  '/token/revocation',
  '/token/introspection',
  '/request',
  '/device/auth',
  '/me',
]);

/** Whether a path is an endpoint of clients. */
export const isClientEndpoint = (path: string): boolean => CLIENT_ENDPOINTS.has(path);

/** Whether an answer of ours should be a page for people; otherwise it is JSON. */
export const wantsPage = (ctx: Pick<Context, 'path' | 'accepts'>): boolean =>
  !isClientEndpoint(ctx.path) && ctx.accepts('html', 'json') !== 'json';
