/** Rotation of refresh tokens in which repeats of one token meet in one successor (RFC 9700 §4.14). */
import { createHmac } from 'node:crypto';
import { Provider } from 'oidc-provider';

/**
 * Makes the identifier of a rotated refresh token a function of the token it replaces, under a key that
 * only the issuer has. Parallel uses and a repeat after a lost answer so derive, and store, the same
 * token, without a lock and without keeping the successor readable anywhere.
 *
 * @param key 32 bytes
 */
export const deriveSuccessors = (provider: Provider, key: Buffer): void => {
  // Not in the published types.
  const prototype = provider.RefreshToken.prototype as unknown as { generateTokenId(): string };
  const generateTokenId = prototype.generateTokenId;
  prototype.generateTokenId = function generateSuccessorId() {
    const rotated = Provider.ctx?.oidc.entities.RotatedRefreshToken;
    return rotated
      ? createHmac('sha256', key).update(rotated.jti).digest('base64url')
      : generateTokenId.call(this);
  };
};
