/**
 * rbac-sync gives every workspace its control plane and keeps what is in it equal to what the
 * database says. It has no callers: the database is its input, the doorbell only makes it fast.
 */
import { readFile } from 'node:fs/promises';
import Koa from 'koa';
import { sql } from 'slonik';
import * as z from 'zod';
import { createDatabase } from '#database/pool.ts';
import { createDoorbell } from '#runtime/doorbell.ts';
import { createEncryption } from '#runtime/encryption.ts';
import { health } from '#runtime/health.ts';
import { listen } from '#runtime/http-server.ts';
import type { Readiness } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { authenticationConfiguration } from './authentication-configuration.ts';
import type { RbacSyncConfig } from './config.ts';
import { type Controller, createController } from './controller.ts';
import { createLocalProvisioner } from './provisioners/local/local-provisioner.ts';
import { createProvisionerRegistry, type ProvisionerRegistry } from './provisioners/registry.ts';

/** What {@link createRbacSync} needs. */
export type RbacSyncDeps = {
  readonly config: RbacSyncConfig;
  readonly log: Logger;
  /** What is opened is put here, to be closed in reverse. */
  readonly stack: AsyncDisposableStack;
  readonly readiness: Readiness;
};

/** Opens everything and starts looking after workspaces. */
export const createRbacSync = async ({
  config,
  log,
  stack,
  readiness,
}: RbacSyncDeps): Promise<Controller> => {
  const metrics = createMetrics('rbac-sync');
  const db = stack.adopt(await createDatabase({ connectionString: config.DATABASE_URL }), (pool) =>
    pool.end(),
  );
  const app = new Koa();
  app.use(health({ readiness, metrics, check: () => db.one(sql.type(z.unknown())`SELECT 1`) }));
  stack.use(await listen(app.callback(), { host: config.HOST, port: config.PORT }));
  const doorbell = stack.use(
    await createDoorbell({ databaseUrl: config.DATABASE_URL, natsUrl: config.NATS_URL, log }),
  );
  const provisioners = stack.use(await createProvisioners(config));
  return stack.use(
    await createController({
      db,
      doorbell,
      provisioners,
      encryption: createEncryption(config.ENCRYPTION_KEY),
      metrics,
      log,
      resyncIntervalMs: config.RESYNC_INTERVAL_SECONDS * 1000,
    }),
  );
};

const createProvisioners = async (config: RbacSyncConfig): Promise<ProvisionerRegistry> => {
  const path = config.ISSUER_CERTIFICATE_AUTHORITY_PATH;
  const issuer = {
    url: config.ISSUER_URL,
    certificateAuthority: path === undefined ? undefined : await readFile(path, 'utf8'),
  };
  const local = createLocalProvisioner({
    directory: config.LOCAL_PROVISIONER_DIRECTORY,
    binaries: config.LOCAL_PROVISIONER_BINARIES,
    configurationFor: (workspaceId) => ({
      authentication: authenticationConfiguration(workspaceId, issuer),
    }),
  });
  return createProvisionerRegistry({ provisioners: [local], defaultName: local.name });
};
