/**
 * Tokens that were found good a moment ago. Verifying a signature is a large part of a small request,
 * and a caller sends the same token with each.
 */
import { hash } from 'node:crypto';

/** Remembers whom verified tokens speak for; of the tokens themselves only a SHA-256 digest. */
export type VerifiedTokens = {
  /** The person (UUID), or `undefined` for a token that isn't remembered, or no longer. */
  readonly find: (token: string) => string | undefined;
  /** @param expiresAt in milliseconds since the epoch: nothing is remembered beyond it */
  readonly remember: (token: string, personId: string, expiresAt: number) => void;
  /** Forgets all of them. */
  readonly clear: () => void;
};

/** What {@link createVerifiedTokens} needs. */
export type VerifiedTokensOptions = {
  /** How long a token is remembered at most. */
  readonly maxAgeMs: number;
  /** How many; the one that came first makes room. */
  readonly maxTokens: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};

type Entry = { readonly personId: string; readonly until: number };

/** Makes an empty memory. */
export const createVerifiedTokens = ({
  maxAgeMs,
  maxTokens,
  now = Date.now,
}: VerifiedTokensOptions): VerifiedTokens => {
  const entries = new Map<string, Entry>();
  return {
    find: (token) => {
      const digest = toDigest(token);
      const entry = entries.get(digest);
      if (entry === undefined) return undefined;
      if (now() < entry.until) return entry.personId;
      entries.delete(digest);
      return undefined;
    },
    clear: () => entries.clear(),
    remember: (token, personId, expiresAt) => {
      const [first] = entries.size < maxTokens ? [] : entries.keys();
      if (first !== undefined) entries.delete(first);
      entries.set(toDigest(token), { personId, until: Math.min(now() + maxAgeMs, expiresAt) });
    },
  };
};

const toDigest = (token: string): string => hash('sha256', token, 'base64');
