import type { Context } from 'koa';
import getRawBody from 'raw-body';

const LIMIT = 8_192;

/**
 * The fields of a submitted form (application/x-www-form-urlencoded, UTF-8).
 *
 * @throws HttpError 413 beyond 8 KiB, 415 for another media type
 */
export const readForm = async (ctx: Context): Promise<URLSearchParams> => {
  if (!ctx.is('urlencoded')) ctx.throw(415, 'not a form', { expose: true });
  const body = await getRawBody(ctx.req, { limit: LIMIT, encoding: 'utf8' });
  return new URLSearchParams(body);
};
