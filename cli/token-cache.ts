/** Tokens kept between runs: one file an account, readable by its owner only, replaced whole. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/** What is kept of a sign-in. Times in seconds since the epoch. */
const CachedTokens = z.object({
  idToken: z.string(),
  idTokenExpiresAt: z.number(),
  accessToken: z.string(),
  accessTokenExpiresAt: z.number(),
  refreshToken: z.string().optional(),
});
export type CachedTokens = z.infer<typeof CachedTokens>;

/** Reads and writes the tokens of an account. */
export type TokenCache = {
  /** `undefined` when there are none or the file isn't one of ours. */
  readonly read: (account: CacheAccount) => Promise<CachedTokens | undefined>;
  readonly write: (account: CacheAccount, tokens: CachedTokens) => Promise<void>;
};

/** What tokens belong to: all that would make them another account's. */
export type CacheAccount = { readonly issuer: string; readonly clientId: string };

/** The user's cache directory (XDG Base Directory). */
export const defaultCacheDirectory = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hexabase', 'tokens');

/** A cache in a directory, which is made when first written to. */
export const createTokenCache = (directory: string): TokenCache => {
  const fileOf = ({ issuer, clientId }: CacheAccount) =>
    join(
      directory,
      `${createHash('sha256')
        .update(JSON.stringify([issuer, clientId]))
        .digest('hex')}.json`,
    );
  return {
    read: async (account) => {
      const text = await readFile(fileOf(account), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : parse(text);
    },
    write: async (account, tokens) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const draft = join(directory, `.${randomUUID()}`);
      await writeFile(draft, JSON.stringify(tokens), { mode: 0o600 });
      await rename(draft, fileOf(account));
    },
  };
};

const parse = (text: string): CachedTokens | undefined => {
  try {
    return CachedTokens.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};
