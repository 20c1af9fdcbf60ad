/** Rotation of refresh tokens in which repeats of one token meet in one successor (RFC 9700 §4.14). */
import { createHmac } from 'node:crypto';
import { Provider } from 'oidc-provider';
import type { DerivedKey } from '#runtime/encryption.ts';

const SEPARATOR = '.';

/**
 * Makes the identifier of a rotated refresh token a function of the token it replaces, under a key that
 * only the issuer has. Parallel uses and a repeat after a lost answer so derive, and store, the same
 * token, without a lock and without keeping the successor readable anywhere.
 *
 * The first token of a family names the key that its successors derive from, and they all do: a family keeps
 * its key for its life of hours while others begin with a new one.
 *
 * @param keys 32 bytes each, the one for new families first, the oldest last
 */
export const deriveSuccessors = (provider: Provider, keys: readonly DerivedKey[]): void => {
  // Not in the published types.
  const prototype = provider.RefreshToken.prototype as unknown as { generateTokenId(): string };
  const generateTokenId = prototype.generateTokenId;
  const [first] = keys;
  if (!first) throw new Error('there is no key to derive refresh tokens from');
  prototype.generateTokenId = function generateSuccessorId() {
    const rotated = Provider.ctx?.oidc.entities.RotatedRefreshToken;
    if (!rotated) return `${generateTokenId.call(this)}${SEPARATOR}${first.id}`;
    const { id, key } = findKey(keys, rotated.jti) ?? first;
    return `${createHmac('sha256', key).update(rotated.jti).digest('base64url')}${SEPARATOR}${id}`;
  };
};

/** What names no key is older than any other: then there was one key only. */
const findKey = (keys: readonly DerivedKey[], jti: string): DerivedKey | undefined => {
  const [, named] = jti.split(SEPARATOR);
  return named === undefined ? keys.at(-1) : keys.find(({ id }) => id === named);
};
