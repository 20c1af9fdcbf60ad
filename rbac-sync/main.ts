/** `npm run start:rbac-sync` */
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/log.ts';
import { readRbacSyncConfig } from './config.ts';
import { createRbacSync } from './rbac-sync.ts';

const config = readRbacSyncConfig(process.env);
const log = createLogger('rbac-sync', config.LOG_LEVEL);
await runService(log, async (stack, readiness) => {
  await createRbacSync({ config, log, stack, readiness });
});
