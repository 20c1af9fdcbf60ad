/** `npm run start:rbac-sync` */
import { readOrExit } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/log.ts';
import { readRbacSyncConfig } from './config.ts';
import { createRbacSync } from './rbac-sync.ts';

const config = readOrExit(readRbacSyncConfig);
const log = createLogger('rbac-sync', config.LOG_LEVEL);
await runService(log, async (stack, readiness) => {
  await createRbacSync({ config, log, stack, readiness });
});
