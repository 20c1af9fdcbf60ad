/** Redirect addresses on loopback: any port (RFC 8252 §7.3), but only as a number that can be one. */
import type { Provider } from 'oidc-provider';

/** A port that is empty, zero or has zeros before it. */
const ODD_PORT = /^http:\/\/(?:\[[^\]]*\]|[^/?#:[]*):(?![1-9])/;

/**
 * Makes clients refuse a redirect address whose port isn't a plain number: oidc-provider leaves a
 * loopback address's port out of the comparison, whatever stands there.
 */
export const refuseOddPorts = (provider: Provider): void => {
  // Not in the published types.
  const prototype = provider.Client.prototype as unknown as {
    redirectUriAllowed(value: string): boolean;
  };
  const redirectUriAllowed = prototype.redirectUriAllowed;
  prototype.redirectUriAllowed = function isPlainAndAllowed(value) {
    return !ODD_PORT.test(value) && redirectUriAllowed.call(this, value);
  };
};
