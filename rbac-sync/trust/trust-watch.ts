/** When a cluster's trust in the issuer is looked at: at the first contact, and then every few minutes. */
import type { Condition, Statement } from '../workspace/conditions.ts';
import { checkTrust, type TrustTarget } from './check-trust.ts';
import type { ProbeTokens } from './probe-tokens.ts';
import { askAgainInMs, type ForgetDeps, makeForget } from './revoked-keys.ts';

/** What is known of clusters' trust. */
export type TrustWatch = {
  /**
   * What is so of a cluster's trust: as found lately, or found out now, which takes seconds at most.
   */
  readonly look: (workspace: TrustedWorkspace, target: TrustTarget) => Promise<TrustLook>;
  /** Forgets a workspace. */
  readonly forget: (workspaceId: string) => void;
};

/** What a look has to know of a workspace. */
export type TrustedWorkspace = {
  /** UUID */
  readonly id: string;
  /** As they are on record. */
  readonly conditions: readonly Condition[];
  /** When a key was revoked that the cluster may still trust. */
  readonly revokedAt: Date | null;
};

/** What came of a look. */
export type TrustLook = {
  readonly statement: Statement;
  /** Milliseconds until it should be looked at again, when that is sooner than usual. */
  readonly againInMs: number | undefined;
};

const VERIFIED_MS = 4 * 60_000;
const SOON_MS = 5_000;

/** What {@link createTrustWatch} needs. */
export type TrustWatchDeps = {
  /** Without them nothing can be proven, … */
  readonly tokens: ProbeTokens | undefined;
  /** … and this is answered. */
  readonly unproven: Statement;
  /** Records that a cluster has accepted a key of the issuer. */
  readonly accepted: ForgetDeps['accepted'];
};

/** Knows nothing at first. */
export const createTrustWatch = ({ tokens, unproven, accepted }: TrustWatchDeps): TrustWatch => {
  const found = new Map<string, { at: number; key: string; look: TrustLook }>();
  return {
    look: async ({ id: workspaceId, conditions, revokedAt }, target) => {
      if (!tokens) return { statement: unproven, againInMs: undefined };
      const key = JSON.stringify([target.server, target.certificateAuthority, revokedAt]);
      const known = found.get(workspaceId);
      const now = Date.now();
      const fresh = known && now - known.at < (known.look.againInMs ?? VERIFIED_MS);
      if (fresh && known.key === key) return known.look;
      const forgetful = revokedAt && { workspaceId, target, revokedAt };
      const unforgotten = forgetful ? await makeForget({ tokens, accepted }, forgetful) : undefined;
      const statement = unforgotten ?? (await checkTrust(tokens, target, workspaceId));
      const look = {
        statement,
        againInMs:
          unforgotten && revokedAt
            ? askAgainInMs(revokedAt, now)
            : againInMs(statement, conditions, now),
      };
      found.set(workspaceId, { at: Date.now(), key, look });
      return look;
    },
    forget: (workspaceId) => found.delete(workspaceId),
  };
};

/**
 * Soon, when it is not as it should be: an API server that has just started takes a moment to fetch the keys, and
 * someone may be waiting who has just installed the configuration; later, the longer it has been so.
 */
export const againInMs = (
  { type, status }: Statement,
  conditions: readonly Condition[],
  now: number,
): number | undefined => {
  if (status === 'True') return undefined;
  const last = conditions.find((each) => each.type === type);
  const since = last?.status === status ? now - Date.parse(last.lastTransitionTime) : 0;
  return Math.min(Math.max(since / 2, SOON_MS), VERIFIED_MS);
};
