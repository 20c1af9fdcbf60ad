/**
 * When a signing key of the issuer is revoked, every cluster is made to forget it. A kube-apiserver goes on
 * trusting a key that is no longer published until it meets a token by a key that it doesn't know, and reads
 * the keys again then, at most every half minute. So each cluster is shown a probe by the key that was first
 * published when the other was revoked. As long as it refuses that, it has not read the keys since, and is
 * made to; once it accepts it, what it trusts was read after the revocation, and the revoked key is not in it.
 * It takes no right in the cluster and no metric of it, and never the revoked key.
 */
import { decodeProtectedHeader } from 'jose';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import type { Statement } from '../workspace/conditions.ts';
import { review, type TrustTarget, toUnknown } from './check-trust.ts';
import type { ProbeTokens } from './probe-tokens.ts';

/** What {@link makeForget} needs. */
export type ForgetDeps = {
  readonly tokens: ProbeTokens;
  /** Records that a cluster has accepted a key; answers whether it has forgotten all that are revoked. */
  readonly accepted: (workspaceId: string, kid: string) => Promise<boolean>;
};

/** A cluster that may still trust a key that was revoked at some time. */
export type Forgetful = {
  /** UUID */
  readonly workspaceId: string;
  readonly target: TrustTarget;
  readonly revokedAt: Date;
};

/** Shows the cluster a token by the newest key; answers what is to be said while it refuses that. */
export const makeForget = async (
  { tokens, accepted }: ForgetDeps,
  { workspaceId, target, revokedAt }: Forgetful,
): Promise<Statement | undefined> => {
  try {
    const token = await tokens.request(formatId('workspace', workspaceId), 'newest');
    const { kid } = decodeProtectedHeader(token);
    if ((await review(target, token)) === 'refused' || !kid) return stillTrusts(revokedAt);
    // A replica of the issuer that is a little behind gives a token by a key of before.
    return (await accepted(workspaceId, kid)) ? undefined : stillTrusts(revokedAt);
  } catch (error) {
    return toUnknown(error);
  }
};

const stillTrusts = (revokedAt: Date): Statement => ({
  type: 'TrustsIssuer',
  status: 'False',
  reason: 'MayTrustRevokedKey',
  message: `A signing key of the issuer was revoked at ${revokedAt.toISOString()}, and the API server has not read the issuer’s keys since: until it does, it takes tokens by the revoked key. It is made to read them, which takes less than a minute; if this stays, it can’t reach the issuer, and a restart makes it forget all keys.`,
});

const SOON_MS = 2_000;
const LATER_MS = 60_000;

/** When to ask the cluster again: every few seconds first, and of one that doesn't answer for long each minute. */
export const askAgainInMs = (revokedAt: Date, now: number): number =>
  Math.min(Math.max((now - revokedAt.getTime()) / 30, SOON_MS), LATER_MS);

const Nothing = z.strictObject({});

/**
 * Records that a cluster accepts a key of the issuer: all that was revoked before that key was published is
 * forgotten there. Nothing is recorded for a key that was revoked meanwhile.
 *
 * @returns whether no revoked key is left that the cluster may still trust
 */
export const saveAcceptedKey = async (
  db: CommonQueryMethods,
  workspaceId: string,
  kid: string,
): Promise<boolean> => {
  await raiseForgotten(db, workspaceId, kid);
  return !(await mayTrustRevoked(db, workspaceId));
};

const raiseForgotten = async (
  db: CommonQueryMethods,
  workspaceId: string,
  kid: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE workspace_cluster c SET keys_forgotten_at = k.created_at
    FROM signing_key k
    WHERE c.workspace_id = ${workspaceId} AND k.kid = ${kid} AND k.state <> 'revoked'
      AND (c.keys_forgotten_at IS NULL OR c.keys_forgotten_at < k.created_at)
  `);
};

const mayTrustRevoked = (db: CommonQueryMethods, workspaceId: string): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT FROM signing_key k
    JOIN workspace_cluster c ON c.workspace_id = ${workspaceId}
    WHERE k.state = 'revoked'
      AND k.state_since > coalesce(c.keys_forgotten_at, '-infinity'::timestamptz)
  `);

const ForgetfulRow = z.strictObject({ workspace_id: z.uuid(), revoked_at: z.date() });

/** This replica's workspaces whose clusters may still trust a revoked key. */
export const listForgetful = (
  db: CommonQueryMethods,
  worker: string,
): Promise<readonly z.infer<typeof ForgetfulRow>[]> =>
  db.any(sql.prepared('list_forgetful', ForgetfulRow)`
    SELECT c.workspace_id, max(k.state_since) AS revoked_at
    FROM workspace_cluster c
    JOIN workspace_lease l ON l.workspace_id = c.workspace_id
    JOIN signing_key k ON k.state = 'revoked'
      AND k.state_since > coalesce(c.keys_forgotten_at, '-infinity'::timestamptz)
    WHERE l.worker = ${worker} AND l.expires_at > now()
    GROUP BY c.workspace_id
  `);
