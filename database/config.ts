import * as z from 'zod';
import { DatabaseUrl, parseEnvironment } from '#runtime/config.ts';

const Password = z.string().min(16, 'Must be at least 16 characters long.');

const MigrateConfig = z.object({
  DATABASE_URL: DatabaseUrl,
  ISSUER_DATABASE_PASSWORD: Password.optional(),
  TENANCY_API_DATABASE_PASSWORD: Password.optional(),
  RBAC_SYNC_DATABASE_PASSWORD: Password.optional(),
});

/** The settings of `npm run migrate`: DATABASE_URL is of the schema's owner, not of a service. */
export const readMigrateConfig = (env: NodeJS.ProcessEnv): z.infer<typeof MigrateConfig> =>
  parseEnvironment(MigrateConfig, env);
