import * as z from 'zod';
import { Cidrs } from '#runtime/addresses.ts';
import { commonSettings, IssuerUrl, NatsUrl, Port, parseEnvironment } from '#runtime/config.ts';
import { EncryptionKey, EncryptionKeys } from '#runtime/encryption.ts';
import { PrivateJsonWebKey } from '#runtime/json-web-key.ts';
import { vclusterEnvironment } from './provisioners/vcluster/config.ts';

/** The settings of rbac-sync. */
export const RbacSyncConfig = z.object({
  ...commonSettings,
  /** Of /livez, /readyz and /metrics. */
  PORT: Port,
  ISSUER_URL: IssuerUrl,
  NATS_URL: NatsUrl,
  /** PEM file of the authority behind the issuer's certificate; without it the system's are trusted. */
  ISSUER_CERTIFICATE_AUTHORITY_PATH: z.string().optional(),
  /** Seals the sync identities' tokens. */
  ENCRYPTION_KEY: EncryptionKeys,
  /**
   * Of which the tokens are made with which clusters ask the issuer for revoked sign-ins; the issuer has the
   * same. Without it they don't ask.
   */
  AUTHORIZATION_KEY: EncryptionKey.optional(),
  ...vclusterEnvironment,
  /** What makes the control plane of a workspace that asks for nothing else. */
  PROVISIONER: z.enum(['local', 'vcluster']).default('local'),
  /** Signs our requests to the issuer for tokens that prove clusters' trust in it (RFC 7523). */
  ISSUER_CLIENT_PRIVATE_KEY: PrivateJsonWebKey.optional(),
  /** Opens the kubeconfigs of attached clusters; without it there are none. */
  KUBECONFIG_PRIVATE_KEY: PrivateJsonWebKey.optional(),
  /** Networks that attached clusters may be in although they are not public: CIDRs, comma-separated. */
  ATTACHED_ALLOWED_CIDRS: Cidrs.optional(),
  /** Where the local provisioner keeps control planes; private to this service. */
  LOCAL_PROVISIONER_DIRECTORY: z.string().optional(),
  /** A directory with etcd, kube-apiserver and kube-controller-manager. */
  LOCAL_PROVISIONER_BINARIES: z.string().optional(),
  /**
   * Where clusters send their audit events to, with no path; without it drift has no author. The port and
   * certificate are those of the listener behind it.
   */
  AUDIT_WEBHOOK_URL: z
    .url({ protocol: /^https$/, error: 'Must be an https origin.', abort: true })
    .refine((url) => new URL(url).origin === url, 'Must be an origin, with no path or slash.')
    .optional(),
  AUDIT_PORT: Port.optional(),
  AUDIT_TLS_CERTIFICATE_PATH: z.string().optional(),
  AUDIT_TLS_PRIVATE_KEY_PATH: z.string().optional(),
  /** PEM file of the authority behind that certificate; without it clusters trust their system's. */
  AUDIT_CERTIFICATE_AUTHORITY_PATH: z.string().optional(),
  // The sync identity's token lives an hour and is renewed in passing.
  RESYNC_INTERVAL_SECONDS: z.coerce.number().int().min(1).max(1_500).default(300),
});
export type RbacSyncConfig = Readonly<z.infer<typeof RbacSyncConfig>>;

/** @throws Error that names every fault of the environment at once */
export const readRbacSyncConfig = (env: NodeJS.ProcessEnv): RbacSyncConfig => {
  const config = parseEnvironment(RbacSyncConfig, env);
  assertAudit(config);
  assertAttached(config);
  return config;
};

const assertAttached = (config: RbacSyncConfig): void => {
  if (!config.KUBECONFIG_PRIVATE_KEY || config.ISSUER_CLIENT_PRIVATE_KEY) return;
  // Nobody here configures an attached cluster: without a look nothing could be said of its trust.
  throw new Error('KUBECONFIG_PRIVATE_KEY needs ISSUER_CLIENT_PRIVATE_KEY.');
};

const assertAudit = (config: RbacSyncConfig): void => {
  const { AUDIT_WEBHOOK_URL: url, AUDIT_PORT: port } = config;
  if (url === undefined) return;
  if (port === undefined) throw new Error('AUDIT_WEBHOOK_URL needs AUDIT_PORT, to listen on.');
  // The events name people, their token would let forge more, and the API server sends none without TLS.
  if (!config.AUDIT_TLS_CERTIFICATE_PATH || !config.AUDIT_TLS_PRIVATE_KEY_PATH) {
    throw new Error(
      'AUDIT_WEBHOOK_URL needs AUDIT_TLS_CERTIFICATE_PATH and AUDIT_TLS_PRIVATE_KEY_PATH.',
    );
  }
};
