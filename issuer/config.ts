import * as z from 'zod';
import { UPSTREAM_MAX_AGE_SECONDS, UPSTREAM_REFRESH_SECONDS } from '#domain/staleness.ts';
import { Cidrs } from '#runtime/addresses.ts';
import {
  ApiAudience,
  commonSettings,
  Flag,
  IssuerUrl,
  Json,
  Port,
  parseEnvironment,
} from '#runtime/config.ts';
import { EncryptionKey, EncryptionKeys } from '#runtime/encryption.ts';
import { PublicJsonWebKey } from '#runtime/json-web-key.ts';
import { ConnectorList } from './connectors/config.ts';
import { TrustedProxies } from './http/client-address.ts';
import { ROTATE_DAYS } from './keys/signing-keys.ts';
import { cleartextAddresses, WebClientConfigs } from './protocol/web-clients.ts';
import { RedisUrl } from './storage/redis.ts';
import { BrandingConfig } from './views/branding/config.ts';

const IssuerConfig = z.object({
  ...commonSettings,
  PORT: Port,
  ISSUER_URL: IssuerUrl,
  API_AUDIENCE: ApiAudience,
  ENCRYPTION_KEY: EncryptionKeys,
  /** How long a key signs tokens before the next one takes over. */
  SIGNING_KEY_DAYS: z.coerce.number().int().min(1).max(365).default(ROTATE_DAYS),
  CONNECTORS: Json.pipe(ConnectorList),
  BRANDING: Json.pipe(BrandingConfig).optional(),
  ALLOW_LOCAL_ACCOUNTS: Flag.default(false),
  UPSTREAM_REFRESH_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(UPSTREAM_REFRESH_SECONDS),
  UPSTREAM_MAX_AGE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(UPSTREAM_MAX_AGE_SECONDS),
  CLIENTS: Json.pipe(WebClientConfigs).default([]),
  /** Public key of rbac-sync's client, which probes whether clusters trust the issuer. */
  RBAC_SYNC_PUBLIC_KEY: PublicJsonWebKey.optional(),
  /** Of which the tokens of clusters' authorization webhooks are made; rbac-sync has the same. */
  AUTHORIZATION_KEY: EncryptionKey.optional(),
  /** Networks that tenants' issuers of workload tokens may be in although they are not public. */
  FEDERATION_ALLOWED_CIDRS: Cidrs.optional(),
  REDIS_URL: RedisUrl.optional(),
  TRUSTED_PROXIES: TrustedProxies.default([]),
  TLS_DIRECTORY: z.string().optional(),
  TLS_CERTIFICATE_PATH: z.string().optional(),
  TLS_PRIVATE_KEY_PATH: z.string().optional(),
});

/** The issuer's settings; `docs/configuration.md` explains them. */
export type IssuerConfig = Readonly<z.infer<typeof IssuerConfig>>;

/**
 * Reads and checks the issuer's settings.
 *
 * @throws Error that names every fault; and in production when accounts stand in the configuration,
 * unless ALLOW_LOCAL_ACCOUNTS says that this is meant
 */
export const readIssuerConfig = (env: NodeJS.ProcessEnv): IssuerConfig => {
  const config = parseEnvironment(IssuerConfig, env);
  const hasPair = config.TLS_CERTIFICATE_PATH && config.TLS_PRIVATE_KEY_PATH;
  if (!hasPair && !config.TLS_DIRECTORY) {
    throw new Error(
      'The issuer speaks HTTPS only: set TLS_CERTIFICATE_PATH and TLS_PRIVATE_KEY_PATH, or TLS_DIRECTORY to have a certificate authority made there.',
    );
  }
  const hasLocal = config.CONNECTORS.some(({ type }) => type === 'local');
  if (hasLocal && config.NODE_ENV === 'production' && !config.ALLOW_LOCAL_ACCOUNTS) {
    throw new Error(
      'CONNECTORS has local accounts, which are for trying things out. Use an identity provider, or set ALLOW_LOCAL_ACCOUNTS=true if you mean it.',
    );
  }
  if (config.UPSTREAM_MAX_AGE_SECONDS < config.UPSTREAM_REFRESH_SECONDS) {
    throw new Error('UPSTREAM_MAX_AGE_SECONDS can’t be less than UPSTREAM_REFRESH_SECONDS.');
  }
  const cleartext = config.CLIENTS.flatMap(cleartextAddresses);
  if (cleartext.length > 0 && config.NODE_ENV === 'production') {
    throw new Error(`CLIENTS has addresses without TLS: ${cleartext.join(', ')}. Use https.`);
  }
  return config;
};
