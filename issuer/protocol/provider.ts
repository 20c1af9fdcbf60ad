/** oidc-provider, assembled from the parts in this folder. Decisions are made in the parts. */
import type { JWK } from 'jose';
import {
  type AdapterFactory,
  type Configuration,
  interactionPolicy,
  Provider,
} from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';
import type { Encryption } from '#runtime/encryption.ts';
import { createDeviceFlow } from '../interactions/device.ts';
import { renderProviderError } from '../interactions/errors.ts';
import { LOGOUT } from '../interactions/sign-out.ts';
import { SIGNING_ALGORITHMS } from '../keys/rotation.ts';
import type { SigningKeySet } from '../keys/signing-keys.ts';
import { registerClientCredentials } from '../machines/client-credentials.ts';
import type { IssuerKeys } from '../machines/issuer-keys.ts';
import {
  compareMachineSecrets,
  createAssertionCheck,
  MACHINE_AUTH_METHODS,
} from '../machines/machine-clients.ts';
import { registerTokenExchange } from '../machines/token-exchange.ts';
import { createFindAccount, createFindAccountFor } from '../people/account.ts';
import type { LookAgain } from '../people/upstream/look-again.ts';
import { createAdapterFactory } from '../storage/adapter.ts';
import type { Cache } from '../storage/cache.ts';
import { createCachingAdapterFactory } from '../storage/caching-adapter.ts';
import { LOCALES } from '../views/messages/messages.ts';
import { SCOPE_CLAIMS } from './claims.ts';
import { accountClient, CLI_CLIENT_ID, FIXED_CLIENTS } from './clients.ts';
import { grantConfirmedRequest } from './grants.ts';
import { createOutboundFetch } from './outbound.ts';
import { refuseLongParameters } from './parameters.ts';
import { probeClient } from './probe-grant.ts';
import { refuseOddPorts } from './redirect-uris.ts';
import { deriveSuccessors } from './refresh-rotation.ts';
import { createResourceIndicators } from './resources.ts';
import { keepSessionsEnded, nameSessions } from './sessions.ts';
import { TIME_TO_LIVE } from './time-to-live.ts';
import { measureIdTokens, type TokenMetrics } from './token-metrics.ts';
import { compareHashedSecrets, mayCallFrom, type WebClient } from './web-clients.ts';

/** What {@link createProvider} needs. */
export type ProviderDeps = {
  /** An https origin. */
  readonly issuerUrl: string;
  /** What the pages call the platform. */
  readonly platformName: string;
  /** The resource indicator of the API, and the audience of its access tokens. */
  readonly apiAudience: string;
  readonly database: DatabasePool;
  readonly encryption: Encryption;
  /** Before the database; by default there is none. */
  readonly cache?: Cache | undefined;
  readonly signingKeys: SigningKeySet;
  /** Of the client that probes clusters; without it there is none. */
  readonly probeKey?: JWK | undefined;
  /** Of issuers that tenants trust for their machines. */
  readonly issuerKeys: IssuerKeys;
  readonly webClients: readonly WebClient[];
  /** Asks identity providers again about someone. */
  readonly lookAgain: LookAgain;
  readonly tokenMetrics: TokenMetrics;
};

/** The OpenID Connect provider, without the pages of interactions. */
export const createProvider = (deps: ProviderDeps): Provider => {
  const provider = new Provider(deps.issuerUrl, createConfiguration(deps));
  refuseOddPorts(provider);
  compareHashedSecrets(provider);
  keepSessionsEnded(provider, deps.database);
  nameSessions(provider);
  measureIdTokens(provider, deps.tokenMetrics);
  deriveSuccessors(provider, deps.encryption.deriveKeys('refresh-token-rotation'));
  compareMachineSecrets(provider, deps.database);
  registerClientCredentials(provider, deps);
  const findAccountFor = createFindAccountFor({ ...deps, metrics: deps.tokenMetrics });
  registerTokenExchange({ ...deps, provider, findAccountFor });
  return provider;
};

const createConfiguration = (deps: ProviderDeps): Configuration => ({
  adapter: createStorage(deps),
  ...createClients(deps),
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  assertJwtClientAuthClaimsAndHeader: createAssertionCheck(deps.database),
  clientBasedCORS: (_ctx, origin, client) => mayCallFrom(origin, client),
  jwks: { keys: [...deps.signingKeys.keys] as never[] },
  enabledJWA: {
    idTokenSigningAlgValues: [...SIGNING_ALGORITHMS],
    // Those of CLIENTS and of rbac-sync have ES256 alone.
    clientAuthSigningAlgValues: ['ES256', 'RS256', 'EdDSA', 'Ed25519'],
  },
  discovery: { ui_locales_supported: [...LOCALES] },
  responseTypes: ['code'],
  // Which connector to sign in with, without asking. Its check is the one place where all are known.
  extraParams: { connector_id: refuseLongParameters },
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: { ...SCOPE_CLAIMS },
  // What a scope gives belongs into the ID token: a kube-apiserver never asks userinfo.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: createFindAccount({ ...deps, metrics: deps.tokenMetrics }),
  loadExistingGrant: grantConfirmedRequest,
  // kubelogin asks neither for offline_access nor for a consent prompt.
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: endsWithSession,
  rotateRefreshToken: true,
  ttl: TIME_TO_LIVE,
  clockTolerance: CLOCK_SKEW_SECONDS,
  fetch: createOutboundFetch(backchannelAddresses(deps.webClients)),
  cookies: createCookies(deps.encryption),
  interactions: {
    policy: createInteractionPolicy(),
    url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
  },
  renderError: renderProviderError,
  features: createFeatures(deps),
});

/** The clients without a row, and the ways to authenticate that are in use. */
const createClients = ({
  issuerUrl,
  platformName,
  probeKey,
  webClients,
}: ProviderDeps): Pick<Configuration, 'clients' | 'clientAuthMethods'> => {
  const clients = [
    ...FIXED_CLIENTS,
    accountClient(issuerUrl, platformName),
    ...(probeKey ? [probeClient(probeKey)] : []),
    ...webClients.map(({ metadata }) => metadata),
  ];
  return { clients, clientAuthMethods: [...MACHINE_AUTH_METHODS] };
};

/**
 * A web client's tokens end with the browser's session, unless it was granted offline access (OpenID
 * Connect Core §11). What a terminal signed in to stays until its own sign-in ends.
 */
const endsWithSession: NonNullable<Configuration['expiresWithSession']> = ({ oidc }, code) =>
  oidc.client?.applicationType === 'web' && !code.scopes.has('offline_access');

const createStorage = (deps: ProviderDeps): AdapterFactory => {
  const createAdapter = createAdapterFactory(deps);
  return deps.cache ? createCachingAdapterFactory(createAdapter, deps.cache) : createAdapter;
};

const createFeatures = ({
  database,
  apiAudience,
  webClients,
}: ProviderDeps): Configuration['features'] => ({
  deviceFlow: createDeviceFlow(database),
  resourceIndicators: createResourceIndicators(apiAudience, apiClientIds(webClients)),
  clientCredentials: { enabled: true },
  backchannelLogout: { enabled: true },
  revocation: {
    enabled: true,
    allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
  },
  rpInitiatedLogout: LOGOUT,
  userinfo: { enabled: true },
  claimsParameter: { enabled: false },
  devInteractions: { enabled: false },
  dPoP: { enabled: false },
  introspection: { enabled: true, allowedPolicy: mayIntrospect },
  // Where a client wants it: kubelogin can't.
  pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: false },
  registration: { enabled: false },
  requestObjects: { enabled: false },
});

/** RFC 7662 §2.1: a client with a credential learns of tokens of its own, and everybody else of none. */
const mayIntrospect: NonNullable<
  NonNullable<Configuration['features']>['introspection']
>['allowedPolicy'] = (_ctx, client, token) =>
  client.tokenEndpointAuthMethod !== 'none' && token.clientId === client.clientId;

const backchannelAddresses = (webClients: readonly WebClient[]): string[] =>
  webClients.flatMap(
    ({ metadata }) => (metadata.backchannel_logout_uri as string | undefined) ?? [],
  );

const apiClientIds = (webClients: readonly WebClient[]): ReadonlySet<string> =>
  new Set([
    CLI_CLIENT_ID,
    ...webClients.filter(({ api }) => api).map(({ metadata }) => metadata.client_id),
  ]);

const createCookies = (encryption: Encryption): Configuration['cookies'] => ({
  // The provider gives the other two a path, which __Host- forbids (RFC 6265bis §4.1.3).
  names: {
    session: '__Host-hexabase-session',
    interaction: '__Secure-hexabase-interaction',
    resume: '__Secure-hexabase-resume',
  },
  // The first signs, and all are accepted.
  keys: encryption.deriveKeys('cookies').map(({ key }) => key.toString('base64url')),
  long: { httpOnly: true, sameSite: 'lax', secure: true, signed: true },
  short: { httpOnly: true, sameSite: 'lax', secure: true, signed: true },
});

/** The usual prompts; and someone whose session is of a suspended or removed person signs in anew. */
const createInteractionPolicy = (): interactionPolicy.DefaultPolicy => {
  const policy = interactionPolicy.base();
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check(
        'account_gone',
        'End-User account is not available',
        ({ oidc }) => oidc.session?.accountId !== undefined && oidc.account === undefined,
      ),
    );
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 1);
  return policy;
};
