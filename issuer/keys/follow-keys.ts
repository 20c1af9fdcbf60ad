/** Changing over to new keys without a restart: oidc-provider reads its keys once, when it is made. */
import type { RequestListener } from 'node:http';
import type { SigningKeySet, SigningKeys } from './signing-keys.ts';

/**
 * A handler that is made anew for each set of keys. Requests under way finish with the one that they began
 * with, whose keys stay published.
 *
 * @param build makes the handler for a set of keys
 */
export const followKeys = (
  keys: SigningKeys,
  build: (set: SigningKeySet) => RequestListener,
): RequestListener => {
  let handle = build(keys.current());
  keys.onChange((set) => {
    handle = build(set);
  });
  return (request, response) => {
    if (!keys.isOverdue()) return handle(request, response);
    // Held up for long, this process would sign with what may have been taken back meanwhile.
    return keys.refresh().then(() => handle(request, response));
  };
};
