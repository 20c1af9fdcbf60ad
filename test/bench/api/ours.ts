/** The API as it runs in production. */
import { createDatabase } from '#database/pool.ts';
import { createDoorbell } from '#runtime/doorbell.ts';
import { listen } from '#runtime/http-server.ts';
import { createLogger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createAccessTokenVerifier } from '../../../tenancy-api/access-token.ts';
import { createApp } from '../../../tenancy-api/app.ts';
import { createPlatformAdmins } from '../../../tenancy-api/platform-admins.ts';
import { serveParent } from './process.ts';
import { recordStatements } from './statements.ts';

const GRACE_DAYS = 14;
const readStatements = process.argv.includes('--record') ? recordStatements() : () => [];

serveParent(async ({ databaseUrl, issuer, audience }) => {
  const log = createLogger('tenancy-api', 'info');
  const app = createApp({
    db: await createDatabase({ connectionString: databaseUrl }),
    doorbell: await createDoorbell({ databaseUrl, log }),
    accessTokens: createAccessTokenVerifier({ issuer, audience }),
    issuer,
    cursorKey: Buffer.alloc(32, 7),
    platformAdmins: createPlatformAdmins([]),
    deletionGraceDays: GRACE_DAYS,
    log,
    metrics: createMetrics('tenancy-api'),
    readiness: { ready: true },
  });
  const server = await listen(app.callback(), { host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${server.port}`;
}, readStatements);
