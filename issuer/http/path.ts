/** One spelling for each address, because what decides by path compares it as it is written. */
import type { Middleware } from 'koa';

/** Segments of unreserved characters (RFC 3986 §2.3), none of them empty, `.` or `..`. */
const PLAIN = /^\/$|^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
/** What begins the paths in which oidc-provider would take either case. */
const FIRST_SEGMENT = /^\/[^/]*[A-Z]/;

/** Whether a path is written in the one way that is answered; `fixed` are the paths without a parameter. */
export const isPlainPath = (path: string, fixed: ReadonlySet<string>): boolean =>
  PLAIN.test(path) &&
  !FIRST_SEGMENT.test(path) &&
  (fixed.has(path) || !fixed.has(path.toLowerCase()));

/**
 * Answers 404 for another spelling of an address: oidc-provider's router takes any case and a slash at
 * the end, and what looks at paths before it (whose forms are refused, what is cached, what is logged)
 * doesn't.
 */
export const requirePlainPath =
  (fixed: ReadonlySet<string>): Middleware =>
  async (ctx, next) => {
    if (isPlainPath(ctx.path, fixed)) await next();
  };

/** oidc-provider's own paths that have no parameter. */
export const PROVIDER_PATHS: ReadonlySet<string> = new Set([
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/auth',
  '/device',
  '/device/auth',
  '/jwks',
  '/me',
  '/request',
  '/session/end',
  '/session/end/confirm',
  '/session/end/success',
  '/token',
  '/token/introspection',
  '/token/revocation',
]);
