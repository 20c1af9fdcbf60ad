/** `npm run start:tenancy-api`: composition only. */
import { readFile } from 'node:fs/promises';
import { createDatabase } from '#database/pool.ts';
import { readOrExit } from '#runtime/config.ts';
import { createDoorbell } from '#runtime/doorbell.ts';
import { listen } from '#runtime/http-server.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createAccessTokenVerifier } from './access-token.ts';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { createPlatformAdmins } from './platform-admins.ts';
import { startRevokedKeys } from './revoked-keys.ts';

const config = readOrExit(readConfig);
const log = createLogger('tenancy-api', config.LOG_LEVEL);

await runService(log, async (stack, readiness) => {
  const authority = config.ISSUER_CERTIFICATE_AUTHORITY_PATH;
  const issuer = {
    url: config.ISSUER_URL,
    certificateAuthority: authority && (await readFile(authority, 'utf8')),
  };
  const db = stack.adopt(await createDatabase({ connectionString: config.DATABASE_URL }), (pool) =>
    pool.end(),
  );
  const doorbell = stack.use(
    await createDoorbell({
      databaseUrl: config.DATABASE_URL,
      natsUrl: config.NATS_URL,
      log,
    }),
  );
  const accessTokens = stack.use(
    createAccessTokenVerifier({
      issuer,
      audience: config.API_AUDIENCE,
      revokedKeys: stack.use(await startRevokedKeys({ db, doorbell, log })),
    }),
  );
  const app = createApp({
    db,
    doorbell,
    accessTokens,
    issuer,
    cursorKey: config.CURSOR_KEY,
    consoleOrigin: config.CONSOLE_ORIGIN,
    platformAdmins: createPlatformAdmins(config.PLATFORM_ADMINS ?? []),
    deletionGraceDays: config.DELETION_GRACE_DAYS,
    kubeconfigKey: config.KUBECONFIG_PUBLIC_KEY,
    log,
    metrics: createMetrics('tenancy-api'),
    readiness,
  });
  const server = stack.use(await listen(app.callback(), { host: config.HOST, port: config.PORT }));
  log.info({ host: config.HOST, port: server.port }, 'listening');
});
