/** Keeps other sites from submitting our forms (cross-site request forgery). */
import type { Middleware } from 'koa';
import { isClientEndpoint } from './client-endpoints.ts';

/**
 * Refuses with 403 a form that a page of another origin has submitted, by what the browser says in
 * Sec-Fetch-Site and Origin; a request with neither is no form of ours.
 *
 * @param issuerUrl an https origin
 */
export const requireSameOrigin = (issuerUrl: string): Middleware => {
  const origin = new URL(issuerUrl).origin;
  return async (ctx, next) => {
    const isForm = ctx.method === 'POST' && !isClientEndpoint(ctx.path);
    if (!isForm || isSameOrigin(ctx, origin)) return next();
    ctx.throw(403, 'the form was submitted from another site', { expose: true });
  };
};

const isSameOrigin = (
  request: { readonly get: (header: string) => string },
  origin: string,
): boolean => {
  const [site, from] = [request.get('sec-fetch-site'), request.get('origin')];
  if (site === '' && from === '') return false;
  return (site === '' || site === 'same-origin') && (from === '' || from === origin);
};
