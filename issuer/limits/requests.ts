/** Which requests are counted for which limit. */
import { createHash } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { toNetwork, toSite } from '../http/client-address.ts';
import { type Limits, RateLimitedError } from './limits.ts';
import type { LimitName } from './rules.ts';

// Devices ask again and again until someone has confirmed (RFC 8628 §3.5): how often is oidc-provider's to say.
const POLLING = new Set(['authorization_pending', 'slow_down']);

/** Counts requests, and refuses those that are too many. */
export const limitRequests =
  (provider: Provider, limits: Limits): Middleware =>
  async (ctx, next) => {
    if (isFree(ctx.path)) return next();
    const network = toNetwork(ctx.ip);
    await limits.consume(addressLimitOf(ctx), [network]);
    if (STORES_FOR_ANYONE.has(ctx.path)) await limits.consume('anonymous_site', [toSite(ctx.ip)]);
    if (ctx.path === '/device' && ctx.method === 'POST') {
      await limitCodeEntry({ provider, limits, network }, ctx, next);
    } else await next();
    if (STORES_FOR_ANYONE.has(ctx.path)) await giveBackOwn(limits, ctx);
    if (ctx.method !== 'POST') return;
    if (ctx.path === '/token') await limitTokenErrors(limits, ctx, network);
    if (ctx.path === '/device/auth') await limitDeviceCodes(limits, ctx);
  };

/** What clusters and browsers read again and again, and what costs nothing to answer. */
const isFree = (path: string): boolean =>
  path === '/jwks' || path.startsWith('/.well-known/') || path.startsWith('/assets/');

const addressLimitOf = ({ method, path }: Context): LimitName => {
  if (method !== 'POST') return 'address';
  if (path === '/token') return 'token_address';
  if (path === '/request') return 'pushed_request_address';
  if (path === '/device/auth') return 'device_authorization_address';
  return TAKES_A_PASSWORD.test(path) ? 'sign_in_address' : 'address';
};

/** To sign in, or to link the account that it is of. */
const TAKES_A_PASSWORD =
  /^\/interaction\/[^/]+\/sign-in\/|^\/account\/sign-in-methods\/[^/]+\/password$/;

/** Each begins an interaction or a session, also of somebody who never comes back. */
const STORES_FOR_ANYONE: ReadonlySet<string> = new Set(['/auth', '/device', '/session/end']);

/** Whoever is signed in is known, and isn't counted. */
const giveBackOwn = async (limits: Limits, ctx: Context): Promise<void> => {
  if (oidcOf(ctx)?.session?.accountId === undefined) return;
  await limits.giveBack('anonymous_site', [toSite(ctx.ip)]);
};

/** The provider's own context, of a request that it has answered. */
const oidcOf = (ctx: Context): KoaContextWithOIDC['oidc'] | undefined =>
  (ctx as Partial<KoaContextWithOIDC>).oidc;

const clientOf = (ctx: Context): string =>
  String(oidcOf(ctx)?.client?.clientId ?? oidcOf(ctx)?.params?.['client_id'] ?? '');

/** Refusals are counted when they are known; what is right goes through all the while. */
const limitTokenErrors = async (limits: Limits, ctx: Context, network: string): Promise<void> => {
  if (ctx.status < 400 || ctx.status >= 500) return;
  const { error } = (ctx.body ?? {}) as { error?: string };
  if (error !== undefined && POLLING.has(error)) return;
  await limits.consume('token_errors_client', [clientOf(ctx), network]);
};

/** A code too many is taken back before anyone has seen it. */
const limitDeviceCodes = async (limits: Limits, ctx: Context): Promise<void> => {
  const code = oidcOf(ctx)?.entities.DeviceCode;
  if (ctx.status !== 200 || !code) return;
  try {
    // By site first: what is refused there takes nothing from the others.
    await limits.consume('device_authorization_site', [clientOf(ctx), toSite(ctx.ip)]);
    await limits.consume('device_authorization_client', [clientOf(ctx)]);
  } catch (error) {
    await code.destroy();
    throw error;
  }
};

type CodeEntry = {
  readonly provider: Provider;
  readonly limits: Limits;
  readonly network: string;
};

/** Counts wrong device codes by browser and by address, and right ones by themselves. */
const limitCodeEntry = async (
  { provider, limits, network }: CodeEntry,
  ctx: Context,
  next: () => Promise<unknown>,
): Promise<void> => {
  const cookie = ctx.cookies.get(provider.cookieName('session')) ?? network;
  const session = [createHash('sha256').update(cookie).digest('base64url')];
  await limits.consume('code_entry_session', session);
  await limits.consume('code_entry_address', [network]);
  await next();
  const code = oidcOf(ctx)?.entities.DeviceCode;
  if (!code) return;
  await limits.giveBack('code_entry_session', session);
  await limits.giveBack('code_entry_address', [network]);
  await limits.consume('user_code', [String(code['userCode'])]).catch(async (error) => {
    if (error instanceof RateLimitedError) await code.destroy();
    throw error;
  });
};
