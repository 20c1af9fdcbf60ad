/**
 * Someone in more groups than a token may carry. Nothing is cut off: the token gets all groups that decide
 * anything in that workspace's cluster, so that its bearer may do there exactly what they could with all;
 * and when these are too many as well there is no token, and everybody is told why.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import { MOST_TOKEN_BYTES, MOST_TOKEN_GROUPS } from '#domain/token-size.ts';
import { recordTokenEvent } from '../protocol/token-events.ts';
import type { TokenMetrics } from '../protocol/token-metrics.ts';
import { type DecidingGroups, findDecidingGroups } from './deciding-groups.ts';

/** What {@link fitGroups} needs. */
export type OverageDeps = {
  readonly database: DatabasePool;
  readonly metrics: TokenMetrics;
};

/** A token that is about to be made. Ids are UUIDs. */
export type GroupsToFit = {
  /** Unset for a service account. */
  readonly personId?: string | undefined;
  readonly workspaceId: string;
  /** All groups in the workspace. */
  readonly groups: readonly string[];
  /** How long a token with these groups is, in bytes. */
  readonly measure: (groups: readonly string[]) => number;
};

/**
 * The groups that go into the token: all of them, without asking anyone, unless they are too many.
 *
 * @throws CustomOIDCProviderError, recorded in the organization's audit events, when those that decide are
 * too many too
 */
export const fitGroups = async (
  deps: OverageDeps,
  ctx: KoaContextWithOIDC,
  wanted: GroupsToFit,
): Promise<readonly string[]> => {
  if (fits(wanted, wanted.groups)) return wanted.groups;
  const deciding = await findDecidingGroups(deps.database, wanted.workspaceId, wanted.groups);
  const result = fits(wanted, deciding.names) ? 'reduced' : 'refused';
  deps.metrics.overage.inc({ result });
  if (result === 'reduced') return deciding.names;
  await recordRefusal(deps.database, ctx, { wanted, deciding });
  throw new errors.CustomOIDCProviderError('invalid_grant', explain(wanted, deciding));
};

const fits = ({ measure }: GroupsToFit, groups: readonly string[]): boolean =>
  groups.length <= MOST_TOKEN_GROUPS && measure(groups) <= MOST_TOKEN_BYTES;

const explain = ({ groups, measure }: GroupsToFit, { names }: DecidingGroups): string => {
  const tooMuch =
    names.length > MOST_TOKEN_GROUPS
      ? `${names.length} of them are given roles in its cluster, and a token carries ${MOST_TOKEN_GROUPS}`
      : `the ${names.length} of them that are given roles in its cluster make a token of ${measure(names)} bytes, and it may have ${MOST_TOKEN_BYTES}`;
  return `you are in ${groups.length} groups of this workspace: ${tooMuch}. Ask an administrator of the workspace to take you out of groups, or to give the roles to a group above them`;
};

type Refusal = { readonly wanted: GroupsToFit; readonly deciding: DecidingGroups };

const recordRefusal = (
  database: DatabasePool,
  ctx: KoaContextWithOIDC,
  { wanted: { personId, workspaceId, groups, measure }, deciding }: Refusal,
): Promise<void> =>
  recordTokenEvent(database, ctx, {
    action: 'token.refuse-overage',
    organizationId: deciding.organization_id,
    workspaceId,
    actorId: personId ?? null,
    targetId: workspaceId,
    details: {
      groups: groups.length,
      deciding_groups: deciding.names.length,
      token_bytes: measure(deciding.names),
    },
  });
