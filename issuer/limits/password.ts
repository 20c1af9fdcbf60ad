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
 * @throws RateLimitedError
 */
export const attemptPassword = async <Identity>(
  limits: Limits,
  attempt: PasswordAttempt,
  verify: () => Promise<Identity | undefined>,
): Promise<Identity | undefined> => {
  const counted = limitsOf(attempt);
  for (const [limit, key] of counted) await limits.consume(limit, key);
  const identity = await verify();
  if (identity !== undefined) {
    for (const [limit, key] of counted) await limits.giveBack(limit, key);
  }
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
