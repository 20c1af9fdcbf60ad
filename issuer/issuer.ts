/**
 * The issuer: signs people in, issues tokens with the groups of one workspace, publishes its keys. It
 * knows people, membership and groups, and nothing of clusters. Called by browsers, by kubectl's
 * credential plugins and, for keys, by kube-apiservers.
 */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { JWK } from 'jose';
import type { Provider } from 'oidc-provider';
import type { Registry } from 'prom-client';
import { type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { UPSTREAM_MAX_AGE_SECONDS, UPSTREAM_REFRESH_SECONDS } from '#domain/staleness.ts';
import type { Encryption } from '#runtime/encryption.ts';
import { health } from '#runtime/health.ts';
import type { Readiness } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/log.ts';
import { accountRoutes } from './account/routes.ts';
import { endSessions } from './account/sessions.ts';
import type { Connector } from './connectors/connector.ts';
import { publishConnectors } from './connectors/published.ts';
import { createRoundTrips, UPSTREAM_REQUEST } from './connectors/round-trip.ts';
import { setClientAddress } from './http/client-address.ts';
import { setCacheHeaders, setCrossOriginHeaders, setSecurityHeaders } from './http/headers.ts';
import { pinHost } from './http/host.ts';
import { PROVIDER_PATHS, requirePlainPath } from './http/path.ts';
import { discardUnread, logRequests } from './http/request.ts';
import { requireSameOrigin } from './http/same-origin.ts';
import { keepUserCode } from './interactions/device.ts';
import { showErrors } from './interactions/errors.ts';
import { switchLocale } from './interactions/locale.ts';
import { relayRoutes } from './interactions/relay.ts';
import { interactionRoutes } from './interactions/routes.ts';
import { skipEmptySignOut } from './interactions/sign-out.ts';
import { answerUnavailable } from './interactions/unavailable.ts';
import { followKeys } from './keys/follow-keys.ts';
import type { SigningKeys } from './keys/signing-keys.ts';
import type { Limits } from './limits/limits.ts';
import { limitRequests } from './limits/requests.ts';
import { createIssuerKeys, type IssuerKeysOptions } from './machines/issuer-keys.ts';
import { createLookAgain } from './people/upstream/look-again.ts';
import type { UpstreamAges } from './people/upstream/remember.ts';
import { createProviderObserver } from './protocol/events.ts';
import { createProvider } from './protocol/provider.ts';
import { recordReuse } from './protocol/reuse.ts';
import { tokenIdsOf } from './protocol/token-events.ts';
import { createTokenMetrics } from './protocol/token-metrics.ts';
import { originsOfPages, type WebClient } from './protocol/web-clients.ts';
import { answerAuthorization } from './revocation/authorization-webhook.ts';
import type { Denials } from './revocation/denials.ts';
import { createAdapterFactory } from './storage/adapter.ts';
import type { Cache } from './storage/cache.ts';
import type { SessionRow } from './storage/session-rows.ts';
import { loadBrand, rememberBrand, serveAssets } from './views/branding/brand.ts';
import { BrandingConfig } from './views/branding/config.ts';

/** What {@link createIssuer} needs. */
export type IssuerDeps = {
  /** An https origin. */
  readonly issuerUrl: string;
  /** The resource indicator of the API, and the audience of its access tokens. */
  readonly apiAudience: string;
  /** Of the role hexabase_issuer. */
  readonly database: DatabasePool;
  readonly encryption: Encryption;
  readonly signingKeys: SigningKeys;
  /** Before the database; by default there is none. */
  readonly cache?: Cache | undefined;
  /** Public key of the client that probes clusters; without it nobody does. */
  readonly probeKey?: JWK | undefined;
  /** How the issuers that tenants trust for their machines are asked for keys. */
  readonly federation?: IssuerKeysOptions | undefined;
  /** Clients with a server or page of their own. */
  readonly webClients: readonly WebClient[];
  readonly connectors: readonly Connector[];
  readonly limits: Limits;
  /** How old what an identity provider said may be; by default as docs/security.md promises. */
  readonly ages?: UpstreamAges | undefined;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly readiness: Readiness;
  /** The grants whose tokens clusters are to refuse; without it no cluster is answered. */
  readonly denials?: Denials | undefined;
  /** Of which the tokens of clusters' authorization webhooks are made. */
  readonly authorizationKey?: Buffer | undefined;
  /** How the pages look; ours by default. */
  readonly branding?: BrandingConfig | undefined;
  /** CIDRs of proxies whose X-Forwarded-For is believed; by default there are none. */
  readonly trustedProxies?: readonly string[] | undefined;
};

const DEFAULT_AGES: UpstreamAges = {
  refreshSeconds: UPSTREAM_REFRESH_SECONDS,
  maxAgeSeconds: UPSTREAM_MAX_AGE_SECONDS,
};

/**
 * The handler of the issuer's requests, for an HTTPS server. It changes over by itself when the keys do.
 *
 * @throws when the database can't be reached, or the brand's logo can't be used
 */
export const createIssuer = async (deps: IssuerDeps): Promise<RequestListener> => {
  const { database, encryption, connectors, ages = DEFAULT_AGES, log } = deps;
  const brand = await loadBrand(deps.branding ?? BrandingConfig.parse({}));
  await publishConnectors(database, connectors);
  let current: Provider | undefined;
  const endThere = async (rows: readonly SessionRow[]): Promise<void> => {
    if (current) await endSessions({ provider: current, encryption }, rows);
  };
  const look = { database, encryption, ages, connectors, log, endSessions: endThere };
  const lookAgain = createLookAgain(look);
  const observe = createProviderObserver(deps);
  const issuerKeys = createIssuerKeys(deps.federation);
  const tokenMetrics = createTokenMetrics(deps.metrics);
  const listener = followKeys(deps.signingKeys, (signingKeys) => {
    const provider = createProvider({
      ...deps,
      platformName: brand.brand.name,
      signingKeys,
      issuerKeys,
      lookAgain,
      tokenMetrics,
    });
    observe(provider);
    current = provider;
    return handleRequests(provider, { ...deps, ages }, brand);
  });
  return answerAuthorization({ ...deps, key: deps.authorizationKey }, listener);
};

/** What stands before and beside the provider: what holds for all requests first, then the pages. */
const handleRequests = (
  provider: Provider,
  deps: IssuerDeps & { readonly ages: UpstreamAges },
  { brand, assets }: Awaited<ReturnType<typeof loadBrand>>,
): RequestListener => {
  const { issuerUrl, database, log, metrics, readiness } = deps;
  provider.use(health({ readiness, metrics, check: () => ping(database) }));
  provider.use(setClientAddress(deps.trustedProxies ?? []));
  provider.use(logRequests(log, (ctx) => (ctx.path === '/token' ? tokenIdsOf(ctx) : {})));
  provider.use(discardUnread);
  provider.use(rememberBrand(brand));
  provider.use(setSecurityHeaders(issuerUrl));
  provider.use(pinHost(issuerUrl));
  provider.use(answerUnavailable(provider, log));
  provider.use(showErrors(log));
  provider.use(requirePlainPath(PROVIDER_PATHS));
  provider.use(requireSameOrigin(issuerUrl));
  provider.use(setCacheHeaders);
  provider.use(setCrossOriginHeaders(originsOfPages(deps.webClients)));
  provider.use(serveAssets(assets));
  provider.use(recordReuse({ database, log }));
  provider.use(limitRequests(provider, deps.limits));
  provider.use(switchLocale(issuerUrl));
  provider.use(keepUserCode);
  provider.use(skipEmptySignOut);
  const roundTrips = createRoundTrips(createAdapterFactory(deps)(UPSTREAM_REQUEST));
  provider.use(relayRoutes(deps.connectors));
  provider.use(interactionRoutes({ ...deps, provider, roundTrips }));
  provider.use(accountRoutes({ ...deps, provider, roundTrips }));
  return provider.callback();
};

// A probe that waits longer than this counts as failed anyway.
const PING_MS = 2_000;

const ping = async (database: DatabasePool): Promise<void> => {
  const answer = database.one(sql.type(z.strictObject({ ok: z.literal(1) }))`SELECT 1 AS ok`);
  const late = AbortSignal.timeout(PING_MS);
  await Promise.race([answer, once(late, 'abort').then(() => late.throwIfAborted())]);
};
