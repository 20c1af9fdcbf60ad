import * as z from 'zod';
import {
  ApiAudience,
  commonSettings,
  IssuerUrl,
  NatsUrl,
  Port,
  parseEnvironment,
  unlessMissing,
} from '#runtime/config.ts';
import { EncryptionKey } from '#runtime/encryption.ts';
import { PublicJsonWebKey } from '#runtime/json-web-key.ts';

const ORIGIN = 'Must be an origin such as https://console.example.com: no path, no final "/".';

/** scheme://host[:port], as browsers write it (RFC 6454). */
const Origin = z
  .url({ error: unlessMissing(ORIGIN), abort: true })
  .refine((text) => new URL(text).origin === text, ORIGIN);

/** `connector:subject`, comma-separated; a subject may hold colons. */
const Identities = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(
    z.array(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,62}:[^\p{Cc}]{1,255}$/u, 'Must be "connector:subject".')
        .transform((entry) => {
          const colon = entry.indexOf(':');
          return { connector: entry.slice(0, colon), subject: entry.slice(colon + 1) };
        }),
    ),
  );

const TenancyApiConfig = z.object({
  ...commonSettings,
  PORT: Port.default(8080),
  ISSUER_URL: IssuerUrl,
  NATS_URL: NatsUrl,
  /** A PEM file of the authority to trust for the issuer, when it isn't a public one. */
  ISSUER_CERTIFICATE_AUTHORITY_PATH: z.string().optional(),
  API_AUDIENCE: ApiAudience,
  /** Signs cursors; the same on every replica. */
  CURSOR_KEY: EncryptionKey,
  /** The origin of the console, which browsers let call the API, such as `https://console.example.com`. */
  CONSOLE_ORIGIN: Origin.optional(),
  /** Who may manage plans, such as `google:1234567890,local:ada`. */
  PLATFORM_ADMINS: Identities.optional(),
  /** Seals kubeconfigs of existing clusters to rbac-sync; without it none are taken. */
  KUBECONFIG_PUBLIC_KEY: PublicJsonWebKey.optional(),
  /** How long what was asked to be deleted can be restored: organizations and workspaces. */
  DELETION_GRACE_DAYS: z.coerce.number().int().min(0).max(365).default(14),
});

/** The settings of the tenancy API. */
export type TenancyApiConfig = Readonly<z.infer<typeof TenancyApiConfig>>;

/** @throws Error that names every fault at once */
export const readConfig = (env: NodeJS.ProcessEnv): TenancyApiConfig =>
  parseEnvironment(TenancyApiConfig, env);
