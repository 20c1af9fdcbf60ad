import { constants } from 'node:zlib';
import type { Middleware } from 'koa';
import compress from 'koa-compress';

const THRESHOLD_BYTES = 2048;

/**
 * Compresses long answers as the caller accepts it (RFC 9110 §12.5.3). Not those with an ETag: a strong
 * one belongs to one content coding, and what has one here is short. Short answers, which are most, are
 * spared the negotiation.
 */
export const compressAnswers = (): Middleware => {
  const middleware = compress({
    threshold: THRESHOLD_BYTES,
    br: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
    deflate: false,
    zstd: false,
  });
  return async (ctx, next) => {
    await next();
    const { length } = ctx.response;
    if (length === undefined || length < THRESHOLD_BYTES || ctx.res.hasHeader('ETag')) return;
    await middleware(ctx, async () => {});
  };
};
