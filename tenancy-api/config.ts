import * as z from 'zod';
import {
  ApiAudience,
  commonSettings,
  IssuerUrl,
  NatsUrl,
  Port,
  parseEnvironment,
} from '#runtime/config.ts';
import { EncryptionKey } from '#runtime/encryption.ts';

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
});

/** The settings of the tenancy API. */
export type TenancyApiConfig = Readonly<z.infer<typeof TenancyApiConfig>>;

/** @throws Error that names every fault at once */
export const readConfig = (env: NodeJS.ProcessEnv): TenancyApiConfig =>
  parseEnvironment(TenancyApiConfig, env);
