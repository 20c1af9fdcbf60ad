/** Headers that every answer carries, and those that let others keep discovery and keys a while. */
import type { Middleware } from 'koa';
import helmet from 'koa-helmet';
import { JWKS_SECONDS } from '#domain/signing-keys.ts';
import { contentSecurityPolicy } from '../views/page.ts';
import { isLoopback } from './loopback.ts';

const DISCOVERY_SECONDS = 300;

/**
 * Security headers; the referrer stays within the site, because Origin is `null` without one.
 *
 * @param issuerUrl an https origin
 */
export const setSecurityHeaders = (issuerUrl: string): Middleware => {
  const protect = helmet({
    contentSecurityPolicy: false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: isThisMachine(issuerUrl)
      ? false
      : { maxAge: 31_536_000, includeSubDomains: false },
    // Discovery and keys are read by anyone.
    crossOriginResourcePolicy: false,
  });
  return (ctx, next) => {
    ctx.set('Content-Security-Policy', contentSecurityPolicy());
    return protect(ctx, next);
  };
};

/**
 * Strict-Transport-Security holds for every port of a host (RFC 6797 §8.3): on localhost it would turn
 * the redirect to a program that waits on http://localhost:8000 into HTTPS.
 */
const isThisMachine = (url: string): boolean => {
  const { hostname } = new URL(url);
  return isLoopback(hostname) || hostname.endsWith('.localhost');
};

/** Cache-Control of `/jwks` and of the discovery documents. */
export const setCacheHeaders: Middleware = async (ctx, next) => {
  await next();
  if (ctx.status !== 200) return;
  if (ctx.path === '/jwks') ctx.set('Cache-Control', `public, max-age=${JWKS_SECONDS}`);
  if (ctx.path.startsWith('/.well-known/')) {
    ctx.set('Cache-Control', `public, max-age=${DISCOVERY_SECONDS}`);
  }
};

/** What scripts of every site may read; of the rest none may. */
const isPublic = (path: string): boolean => path === '/jwks' || path.startsWith('/.well-known/');

const CROSS_ORIGIN = [
  'Allow-Origin',
  'Allow-Methods',
  'Allow-Headers',
  'Expose-Headers',
  'Max-Age',
];

/**
 * Opens discovery and keys to all origins, and the rest only to those where a client is a page:
 * oidc-provider answers each by name, before it knows the client.
 *
 * @param origins of public web clients
 */
export const setCrossOriginHeaders =
  (origins: ReadonlySet<string>): Middleware =>
  async (ctx, next) => {
    await next();
    if (ctx.response.get('Access-Control-Allow-Origin') === '') return;
    if (isPublic(ctx.path)) ctx.set('Access-Control-Allow-Origin', '*');
    else if (!origins.has(ctx.get('Origin'))) {
      for (const name of CROSS_ORIGIN) ctx.remove(`Access-Control-${name}`);
    }
  };
