/**
 * A person's session for a token of another workspace that they belong to. It is shown by the refresh token,
 * which only the program that they signed in with has: an ID token is seen by clusters, and an access token by
 * the API, and neither may become somebody elsewhere. The token is for the same person, of the same session,
 * and never outlives the sign-in; the refresh token stays as it is.
 */
import { type Account, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { parseId } from '#domain/identifiers.ts';
import { ID_TOKEN_SECONDS } from '#domain/staleness.ts';
import type { FindAccountFor } from '../people/account.ts';
import { SECONDS_LEFT } from '../protocol/claims.ts';
import { issueWorkspaceToken, type TokenAnswer } from './workspace-token.ts';

/** What {@link exchangeSession} needs. */
export type SessionExchangeDeps = {
  readonly provider: Provider;
  readonly findAccountFor: FindAccountFor;
};

type RefreshToken = InstanceType<Provider['RefreshToken']>;

/**
 * A token of the workspace that `audience` names, for whoever a refresh token of this client is.
 *
 * @throws InvalidTarget without a workspace; InvalidRequest for a refresh token that is unknown, used or
 * another client's, and for who isn't a member; InvalidGrant while the workspace is closed
 */
export const exchangeSession = async (
  { provider, findAccountFor }: SessionExchangeDeps,
  ctx: KoaContextWithOIDC,
  value: string,
): Promise<TokenAnswer> => {
  const audience = ctx.oidc.params?.['audience'];
  if (typeof audience !== 'string' || parseId('workspace', audience) === undefined) {
    throw new errors.InvalidTarget('the audience must be a workspace');
  }
  const token = await findRefreshToken(provider, ctx, value);
  const who = { sub: token.accountId, token, clientId: audience };
  const account = await findAccountFor(ctx, who);
  if (!account) throw refuse('the person is no member of the workspace');
  const claims = await claimsOf(account);
  const ofMembership = claims[SECONDS_LEFT];
  return issueWorkspaceToken(provider, ctx, {
    claims,
    audience,
    extra: { sid: token.sid, auth_time: token.authTime },
    secondsLeft: Math.min(
      token.remainingTTL,
      typeof ofMembership === 'number' ? ofMembership : ID_TOKEN_SECONDS,
    ),
  });
};

const claimsOf = async (account: Account) => account.claims('id_token', 'openid', {}, []);

const refuse = (reason: string): Error =>
  new errors.InvalidRequest(`the subject token is refused: ${reason}`);

/** The client's own, of a grant that stands. One that was used before was stolen: its sign-in ends. */
const findRefreshToken = async (
  provider: Provider,
  ctx: KoaContextWithOIDC,
  value: string,
): Promise<RefreshToken> => {
  const clientId = ctx.oidc.client?.clientId;
  const token = await provider.RefreshToken.find(value);
  if (!token || token.clientId !== clientId || !token.grantId) {
    throw refuse('it is no refresh token of this client that is in force');
  }
  const grant = await provider.Grant.find(token.grantId);
  if (!grant || grant.clientId !== clientId || grant.accountId !== token.accountId) {
    throw refuse('its sign-in has ended');
  }
  if (token.consumed) {
    await grant.destroy();
    provider.emit('grant.revoked', ctx, token.grantId);
    throw refuse('it was used before');
  }
  return token;
};
