/** A refresh token that comes again after its time of grace: stolen, or its successor was (RFC 9700 §4.14.2). */
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import { parseId } from '#domain/identifiers.ts';
import type { Logger } from '#runtime/log.ts';
import { requestIdOf } from '../http/request.ts';
import { findEventOwner, recordTokenEvent } from './token-events.ts';

/** What {@link recordReuse} needs. */
export type ReuseDeps = { readonly database: DatabasePool; readonly log: Logger };

/**
 * Puts the reuse of refresh tokens on the record of the organization whose workspace they were for. The provider
 * has revoked the family by then, so that a record which can't be written is an error of ours and no reason to
 * answer anything else.
 */
export const recordReuse =
  ({ database, log }: ReuseDeps): Middleware =>
  async (ctx, next) => {
    await next();
    if (ctx.path !== '/token' || ctx.status !== 400) return;
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>;
    const token = oidc?.entities.RefreshToken;
    const personId = token && parseId('person', token.accountId);
    if (!token?.consumed || !token.clientId || !personId) return;
    try {
      const owner = await findEventOwner(database, token.clientId, personId);
      await recordTokenEvent(database, ctx as unknown as KoaContextWithOIDC, {
        ...owner,
        action: 'token.refuse-reuse',
        actorId: personId,
        targetId: personId,
      });
    } catch (error) {
      log.error({ err: error, request_id: requestIdOf(ctx) }, 'a reuse could not be recorded');
    }
  };
