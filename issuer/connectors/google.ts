/** Google: OpenID Connect with Google's issuer, and organizations told by the ID token's `hd`. */
import * as z from 'zod';
import { Domain } from '../people/admission.ts';
import type { Claims } from './claims.ts';
import type { RedirectConnector, UpstreamFailure } from './connector.ts';
import { createOidcConnector } from './oidc.ts';
import { OidcConnectorConfig } from './oidc-config.ts';
import { hasOneSecret, ProviderUrl, redirectSettings, TWO_SECRETS } from './settings.ts';

/** A connector to Google in CONNECTORS. */
export const GoogleConnectorConfig = z
  .strictObject({
    type: z.literal('google'),
    ...redirectSettings,
    /** Google Workspace domains whose accounts may sign in; without any every Google account may. */
    hosted_domains: z.array(Domain).default([]),
    /** Asks for a refresh token, to ask again whether someone is still there; Google then asks for consent each time. */
    refresh: z.boolean().default(false),
    /** Another issuer than Google's own, for tests. */
    issuer: ProviderUrl.default('https://accounts.google.com'),
  })
  .refine(hasOneSecret, TWO_SECRETS);
export type GoogleConnectorConfig = z.infer<typeof GoogleConnectorConfig>;

/**
 * A connector to Google.
 *
 * @param redirectUri the connector's own callback
 * @throws when a file that the settings name can't be read
 */
export const createGoogleConnector = (
  { type, hosted_domains, refresh, ...settings }: GoogleConnectorConfig,
  redirectUri: string,
): Promise<RedirectConnector> =>
  createOidcConnector(
    OidcConnectorConfig.parse({ ...settings, type: 'oidc', login_hint_domains: hosted_domains }),
    redirectUri,
    {
      type,
      parameters: {
        ...hostedDomainHint(hosted_domains),
        // In place of the scope offline_access, which Google doesn't know.
        ...(refresh && { access_type: 'offline' }),
      },
      // Google gives a refresh token only with a consent, and has no prompt "login".
      prompts: { always: refresh ? ['consent'] : [], login: 'select_account' },
      ...(hosted_domains.length > 0 && {
        refuse: (idToken) => refuseOtherDomain(hosted_domains, idToken),
      }),
    },
  );

/** What Google offers first; it is only a hint, so the ID token is looked at in any case. */
const hostedDomainHint = (domains: readonly string[]): { readonly hd?: string } => {
  const [first, second] = domains;
  if (first === undefined) return {};
  return { hd: second === undefined ? first : '*' };
};

/**
 * Refuses an account that isn't of one of these Google Workspace organizations. The e-mail address says
 * nothing about that: anyone can have a Google account with an address of any domain.
 */
export const refuseOtherDomain = (
  domains: readonly string[],
  idToken: Claims,
): UpstreamFailure | undefined => {
  const { hd } = idToken;
  return typeof hd === 'string' && domains.includes(hd.toLowerCase()) ? undefined : 'not_allowed';
};
