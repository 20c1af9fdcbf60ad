import cors from '@koa/cors';
import type { Middleware } from 'koa';

const MAX_AGE_SECONDS = 600;

/**
 * Lets the console's pages call from a browser (the Fetch standard's CORS protocol), and no others. No
 * credentials: callers send their token in a header, never a cookie.
 */
export const allowConsole = (origin: string): Middleware =>
  cors({
    origin: (ctx) => (ctx.get('Origin') === origin ? origin : ''),
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'Prefer',
      'X-Request-Id',
    ],
    exposeHeaders: [
      'Deprecation',
      'ETag',
      'Idempotent-Replayed',
      'Link',
      'Location',
      'Preference-Applied',
      'Retry-After',
      'Sunset',
      'X-Request-Id',
    ],
    maxAge: MAX_AGE_SECONDS,
  });
