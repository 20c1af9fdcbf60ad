/**
 * Where providers send the browser back to: one address for each connector. It sends the browser on to the
 * one who waits for the answer, where a cookie says whether it is theirs; it reads and keeps nothing itself.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Connector } from '../connectors/connector.ts';
import { UpstreamError } from '../connectors/connector.ts';
import { parseState, type Traveller } from '../connectors/round-trip.ts';

/** The routes below `/connectors/`. */
export const relayRoutes = (connectors: readonly Connector[]): Middleware => {
  const router = new Router({ sensitive: true });
  router.get('/connectors/:connector/callback', (ctx) => {
    const connectorId = ctx.params['connector'] ?? '';
    if (!connectors.some(({ id, kind }) => id === connectorId && kind === 'redirect')) return;
    const traveller = parseState(new URLSearchParams(ctx.querystring).get('state'));
    if (!traveller) throw new UpstreamError(connectorId, 'invalid');
    ctx.status = 303;
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Location', `${pathOf(traveller, connectorId)}?${ctx.querystring}`);
    ctx.body = '';
  });
  return router.routes() as unknown as Middleware;
};

const pathOf = ({ purpose, uid }: Traveller, connectorId: string): string =>
  purpose === 'interaction'
    ? `/interaction/${uid}/callback/${connectorId}`
    : `/account/callback/${connectorId}`;
