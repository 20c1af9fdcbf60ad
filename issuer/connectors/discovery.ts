/** What a provider says about itself, asked when it is first needed, so that one that is down stops nobody else. */
import type { Configuration } from 'openid-client';

const HOUR_MS = 3_600_000;

/**
 * Remembers a discovered configuration for an hour. Calls at once share one request; a failure is not
 * remembered, so that the next call tries again.
 *
 * @param discover asks the provider
 */
export const createDiscovery = (
  discover: () => Promise<Configuration>,
): (() => Promise<Configuration>) => {
  let known: { readonly configuration: Promise<Configuration>; readonly since: number } | undefined;
  return () => {
    if (known && Date.now() - known.since < HOUR_MS) return known.configuration;
    const attempt = { configuration: discover(), since: Date.now() };
    known = attempt;
    attempt.configuration.catch(() => {
      if (known === attempt) known = undefined;
    });
    return attempt.configuration;
  };
};
