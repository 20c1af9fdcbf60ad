import * as z from 'zod';
import { commonSettings, Port, parseEnvironment } from '#runtime/config.ts';
import { EncryptionKey } from '#runtime/encryption.ts';

const TenancyApiConfig = z.object({
  ...commonSettings,
  PORT: Port.default(8080),
  /** The issuer's origin: https, no path. */
  ISSUER_URL: z
    .url({ protocol: /^https$/ })
    .refine((url) => new URL(url).origin === url, 'Must be an origin, without a path or slash.'),
  /** A PEM file of the authority to trust for the issuer, when it isn't a public one. */
  ISSUER_CERTIFICATE_AUTHORITY_PATH: z.string().optional(),
  /** The audience of the access tokens that the API takes. */
  API_AUDIENCE: z.url(),
  /** Signs cursors; the same on every replica. */
  CURSOR_KEY: EncryptionKey,
});

/** The settings of the tenancy API. */
export type TenancyApiConfig = Readonly<z.infer<typeof TenancyApiConfig>>;

/** @throws Error that names every fault at once */
export const readConfig = (env: NodeJS.ProcessEnv): TenancyApiConfig =>
  parseEnvironment(TenancyApiConfig, env);
