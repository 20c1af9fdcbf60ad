/** `/livez`, `/readyz` and `/metrics`, as Kubernetes probes and Prometheus ask for them. */
import type { Middleware } from 'koa';
import type { Registry } from 'prom-client';
import type { Readiness } from './lifecycle.ts';

/** What {@link health} needs. */
export type HealthOptions = {
  readonly readiness: Readiness;
  readonly metrics: Registry;
  /** Rejects when the service can't work, for example without its database. */
  readonly check: () => Promise<unknown>;
};

/** Answers the three paths and passes everything else on. */
export const health = ({ readiness, metrics, check }: HealthOptions): Middleware => {
  const isReady = async () =>
    readiness.ready &&
    (await check().then(
      () => true,
      () => false,
    ));
  return async (ctx, next) => {
    if (ctx.path === '/livez') {
      ctx.body = 'ok';
    } else if (ctx.path === '/readyz') {
      ctx.status = (await isReady()) ? 200 : 503;
      ctx.body = ctx.status === 200 ? 'ok' : 'not ready';
    } else if (ctx.path === '/metrics') {
      ctx.type = metrics.contentType;
      ctx.body = await metrics.metrics();
    } else {
      await next();
    }
  };
};
