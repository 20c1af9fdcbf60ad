/** `npm run migrate`: brings the database to this release and sets the service roles' passwords. */
import { readOrExit } from '#runtime/config.ts';
import { readMigrateConfig } from './config.ts';
import { migrate } from './migrate.ts';

const config = readOrExit(readMigrateConfig);
const applied = await migrate(config.DATABASE_URL, {
  ...(config.ISSUER_DATABASE_PASSWORD && { hexabase_issuer: config.ISSUER_DATABASE_PASSWORD }),
  ...(config.TENANCY_API_DATABASE_PASSWORD && {
    hexabase_tenancy_api: config.TENANCY_API_DATABASE_PASSWORD,
  }),
  ...(config.RBAC_SYNC_DATABASE_PASSWORD && {
    hexabase_rbac_sync: config.RBAC_SYNC_DATABASE_PASSWORD,
  }),
});
process.stdout.write(
  applied.length === 0 ? 'The schema is up to date.\n' : `Applied ${applied.join(', ')}.\n`,
);
