/** How often a password may be tried. */

import type { LimitKey, Limits } from './limits.ts';
import type { LimitName } from './rules.ts';

/** Who tries it where. */
export type PasswordAttempt = {
  readonly connector: string;
  readonly username: string;
  /** As `toNetwork` has it. */
  readonly network: string;
};

/**
 * Tries a password, and counts the try unless it was right. Counting goes first, so that many at once are
 * no more than many in a row; and it is the same for usernames that nobody has.
 *
 * @param verify `undefined` for a wrong password
 * @throws RateLimitedError, and whatever `verify` throws
 */
export const attemptPassword = async <Identity>(
  limits: Limits,
  attempt: PasswordAttempt,
  verify: () => Promise<Identity | undefined>,
): Promise<Identity | undefined> => {
  const counted = limitsOf(attempt);
  for (const [limit, key] of counted) await limits.consume(limit, key);
  const giveBack = async (): Promise<void> => {
    for (const [limit, key] of counted) await limits.giveBack(limit, key);
  };
  const identity = await verify().catch(async (error: unknown) => {
    // What couldn't be tried was no guess.
    await giveBack();
    throw error;
  });
  if (identity !== undefined) await giveBack();
  return identity;
};

const limitsOf = ({
  connector,
  username,
  network,
}: PasswordAttempt): readonly (readonly [LimitName, LimitKey])[] => {
  const account = [connector, username.normalize('NFKC').trim().toLowerCase()];
  return [
    ['password_burst', [...account, network]],
    ['password_account_address', [...account, network]],
    ['password_account', account],
  ];
};
