import * as z from 'zod';
import { commonSettings, Port, parseEnvironment } from '#runtime/config.ts';
import { EncryptionKey } from '#runtime/encryption.ts';

/** The settings of rbac-sync. */
export const RbacSyncConfig = z.object({
  ...commonSettings,
  /** Of /livez, /readyz and /metrics. */
  PORT: Port,
  /** Exactly as in the tokens' `iss`. */
  ISSUER_URL: z.url({ protocol: /^https$/ }),
  /** PEM file of the authority behind the issuer's certificate; without it the system's are trusted. */
  ISSUER_CERTIFICATE_AUTHORITY_PATH: z.string().optional(),
  /** Seals the sync identities' tokens. */
  ENCRYPTION_KEY: EncryptionKey,
  PROVISIONER: z.enum(['local']),
  /** Where the local provisioner keeps control planes; private to this service. */
  LOCAL_PROVISIONER_DIRECTORY: z.string(),
  /** A directory with etcd, kube-apiserver and kube-controller-manager. */
  LOCAL_PROVISIONER_BINARIES: z.string(),
  RESYNC_INTERVAL_SECONDS: z.coerce.number().int().min(1).max(86_400).default(300),
});
export type RbacSyncConfig = Readonly<z.infer<typeof RbacSyncConfig>>;

/** @throws Error that names every fault of the environment at once */
export const readRbacSyncConfig = (env: NodeJS.ProcessEnv): RbacSyncConfig =>
  parseEnvironment(RbacSyncConfig, env);
