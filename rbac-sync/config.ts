import * as z from 'zod';
import { commonSettings, IssuerUrl, NatsUrl, Port, parseEnvironment } from '#runtime/config.ts';
import { EncryptionKey } from '#runtime/encryption.ts';

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
  ENCRYPTION_KEY: EncryptionKey,
  /** Where the local provisioner keeps control planes; private to this service. */
  LOCAL_PROVISIONER_DIRECTORY: z.string(),
  /** A directory with etcd, kube-apiserver and kube-controller-manager. */
  LOCAL_PROVISIONER_BINARIES: z.string(),
  // The sync identity's token lives an hour and is renewed in passing.
  RESYNC_INTERVAL_SECONDS: z.coerce.number().int().min(1).max(1_500).default(300),
});
export type RbacSyncConfig = Readonly<z.infer<typeof RbacSyncConfig>>;

/** @throws Error that names every fault of the environment at once */
export const readRbacSyncConfig = (env: NodeJS.ProcessEnv): RbacSyncConfig =>
  parseEnvironment(RbacSyncConfig, env);
