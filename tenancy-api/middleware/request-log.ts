import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import { Histogram, type Registry } from 'prom-client';
import type { Logger } from '#runtime/log.ts';
import { toLoggedPath } from '#runtime/logged-path.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Gives each request an id (the caller's own `X-Request-Id` when it has a harmless form), answers it
 * in the same header, and afterwards logs and measures the request: path and status, never query,
 * headers or bodies.
 */
export const requestLog = (log: Logger, metrics: Registry): Middleware => {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took, by route and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [metrics],
  });
  // Nothing to look for in a line whose every field is named here.
  const requests = log.child({}, { redact: [] });
  return async (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    ctx.state['requestId'] = requestId;
    ctx.set('X-Request-Id', requestId);
    const start = performance.now();
    try {
      await next();
    } finally {
      const milliseconds = performance.now() - start;
      const { method, status, path } = ctx;
      const route = String(ctx.state['route'] ?? 'none');
      duration.observe({ method, route, status }, milliseconds / 1000);
      requests.info(
        {
          request_id: requestId,
          method,
          path: toLoggedPath(path),
          status,
          person_id: ctx.state['personId'],
          duration_ms: Math.round(milliseconds),
        },
        'request',
      );
    }
  };
};
