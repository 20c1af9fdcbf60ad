/** What is measured of tokens as they are made. */
import type { Provider } from 'oidc-provider';
import { Counter, Histogram, type Registry } from 'prom-client';

/** The measurements; without labels that name anybody. */
export type TokenMetrics = {
  /** Tokens whose groups were too many, by what came of it. */
  readonly overage: Counter<'result'>;
  /** How long the database takes to say who somebody is and which groups they have; in seconds. */
  readonly groupResolution: Histogram;
  /** ID tokens as they are sent, in bytes. */
  readonly idTokenBytes: Histogram;
};

/** Registers the measurements; once in a registry. */
export const createTokenMetrics = (registry: Registry): TokenMetrics => ({
  overage: new Counter({
    name: 'oidc_groups_overage_total',
    help: 'Tokens for people with more groups than one carries, by whether those that decide fitted.',
    labelNames: ['result'],
    registers: [registry],
  }),
  groupResolution: new Histogram({
    name: 'oidc_group_resolution_seconds',
    help: 'How long it takes to find a person with their membership and groups.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  }),
  idTokenBytes: new Histogram({
    name: 'oidc_id_token_bytes',
    help: 'Length of ID tokens as they are sent.',
    buckets: [512, 768, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192],
    registers: [registry],
  }),
});

/** Measures each ID token that a provider makes. */
export const measureIdTokens = (provider: Provider, { idTokenBytes }: TokenMetrics): void => {
  type Issue = (options: { readonly use: string }) => Promise<string>;
  // Not in the published types.
  const prototype = provider.IdToken.prototype as unknown as { issue: Issue };
  const { issue } = prototype;
  prototype.issue = async function issueMeasured(options) {
    const token = await issue.call(this, options);
    if (options.use === 'idtoken') idTokenBytes.observe(token.length);
    return token;
  };
};
