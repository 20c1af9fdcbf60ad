/** Tokens for a workspace that no sign-in of its client gives: of the shape of its ID tokens, for its cluster. */
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import { GROUPS_CLAIM } from '#domain/group-name.ts';
import { formatId } from '#domain/identifiers.ts';
import { fitGroups } from '../people/overage.ts';
import { describeClosure, findClosure } from '../people/workspace-closure.ts';
import { SECONDS_LEFT, WORKSPACE_CLAIM } from '../protocol/claims.ts';
import { measureIdToken } from '../protocol/id-token-size.ts';
import { toIdTokenLife } from '../protocol/time-to-live.ts';
import type { TokenMetrics } from '../protocol/token-metrics.ts';
import { findMachineMembership, findServiceAccount } from './queries.ts';

/** RFC 8693 §3. */
export const TOKEN_TYPES = {
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  refreshToken: 'urn:ietf:params:oauth:token-type:refresh_token',
} as const;

/** Whose token, for which workspace's client, and until when at the latest. */
export type WorkspaceToken = {
  readonly claims: Readonly<Record<string, unknown>> & { readonly sub: string };
  /** The workspace's public id. */
  readonly audience: string;
  /** Claims of the sign-in that are no account's, such as `sid`. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds that it lives at most; by default as long as any ID token. */
  readonly secondsLeft?: number | undefined;
};

/** An answer of the token endpoint. */
export type TokenAnswer = {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  /** Seconds. */
  readonly expires_in: number;
};

/**
 * Signs an ID token of the workspace's client and answers it as `access_token`, where clients of these
 * grants look (RFC 6749 §5.1, RFC 8693 §2.2.1). It isn't answered as `id_token`, because its audience is the
 * workspace and not the client that asked, which clients rightly refuse in that field.
 */
export const issueWorkspaceToken = async (
  provider: Provider,
  ctx: KoaContextWithOIDC,
  { claims, audience, extra = {}, secondsLeft }: WorkspaceToken,
): Promise<TokenAnswer> => {
  const client = await provider.Client.find(audience);
  if (!client) throw new errors.InvalidTarget('the audience must be a workspace');
  const available = {
    ...claims,
    ...(secondsLeft !== undefined && { [SECONDS_LEFT]: secondsLeft }),
  };
  const token = new provider.IdToken(available, { ctx, client }) as ScopedIdToken;
  token.scope = 'openid';
  for (const [name, value] of Object.entries(extra)) token.set(name, value);
  return {
    access_token: await token.issue({ use: 'idtoken' }),
    token_type: 'Bearer',
    expires_in: toIdTokenLife(available),
  };
};

// Not in the published types.
type ScopedIdToken = InstanceType<Provider['IdToken']> & { scope: string };

/** What {@link issueMachineToken} needs. */
export type MachineTokenDeps = {
  readonly issuerUrl: string;
  readonly database: DatabasePool;
  readonly tokenMetrics: TokenMetrics;
};

/**
 * A token of a service account for its workspace, with its groups as they are now, or when these are too many
 * with those that decide something, as for people.
 *
 * @param accountId UUID
 * @throws InvalidGrant when it is gone or the workspace is closed, InvalidTarget for another workspace
 */
export const issueMachineToken = async (
  { provider, ...deps }: MachineTokenDeps & { readonly provider: Provider },
  ctx: KoaContextWithOIDC,
  accountId: string,
): Promise<TokenAnswer> => {
  const { database, issuerUrl, tokenMetrics: metrics } = deps;
  const account = await findServiceAccount(database, accountId);
  if (!account) throw new errors.InvalidGrant('the service account is gone');
  const workspaceId = account.workspace_id;
  const audience = formatId('workspace', workspaceId);
  const wanted = ctx.oidc.params?.['audience'];
  if (wanted !== undefined && wanted !== audience) {
    throw new errors.InvalidTarget('a service account gets tokens for its own workspace alone');
  }
  const [membership, closure] = await Promise.all([
    findMachineMembership(database, { accountId, workspaceId }),
    findClosure(database, workspaceId),
  ]);
  if (!membership) throw new errors.InvalidGrant('the service account is gone');
  if (closure) throw new errors.CustomOIDCProviderError('invalid_grant', describeClosure(closure));
  const claimsWith = (groups: readonly string[]) => ({
    sub: formatId('serviceAccount', accountId),
    name: membership.display_name,
    [GROUPS_CLAIM]: [...groups],
    [WORKSPACE_CLAIM]: audience,
  });
  const groups = await fitGroups({ database, metrics }, ctx, {
    workspaceId,
    groups: membership.names.toSorted(),
    measure: (some) =>
      measureIdToken({ issuerUrl, clientId: audience, claims: claimsWith(some), nonce: undefined }),
  });
  const claims = claimsWith(groups);
  const secondsLeft = membership.seconds_left ?? undefined;
  return issueWorkspaceToken(provider, ctx, { claims, audience, secondsLeft });
};
