/** Pins requests to the issuer's own host, because oidc-provider builds addresses from the request's. */
import type { Middleware } from 'koa';

/**
 * Refuses every request that isn't for the issuer's host with 421 (RFC 9110 §15.5.20): another Host,
 * another X-Forwarded-Host, or an address in absolute form. Two Host headers are a 400 (RFC 9112 §3.2):
 * what stands before us may have believed the other one.
 *
 * @param issuerUrl an https origin
 */
export const pinHost = (issuerUrl: string): Middleware => {
  const { host, port } = new URL(issuerUrl);
  const hosts = new Set(port === '' ? [host, `${host}:443`] : [host]);
  const isOurs = (value: string) =>
    value.split(',').every((each) => hosts.has(each.trim().toLowerCase()));
  return async (ctx, next) => {
    const forwarded = ctx.get('x-forwarded-host');
    const isForUs =
      isOurs(ctx.get('host')) &&
      (forwarded === '' || isOurs(forwarded)) &&
      ctx.originalUrl.startsWith('/');
    if (isForUs && !hasTwoHosts(ctx.req.rawHeaders)) return next();
    if (isForUs) {
      ctx.status = 400;
      ctx.body = 'A request has one Host.\n';
      return;
    }
    ctx.status = 421;
    ctx.body = 'This server does not answer for that host.\n';
  };
};

/** Node.js keeps the first of them and says nothing. */
const hasTwoHosts = (rawHeaders: readonly string[]): boolean =>
  rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length > 1;
