/**
 * rbac-sync gives every workspace its control plane and keeps what is in it equal to what the
 * database says. It has no callers: the database is its input, the doorbell only makes it fast.
 */

import { readFile } from 'node:fs/promises';
import Koa from 'koa';
import { type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { createDatabase } from '#database/pool.ts';
import { toKubeconfigPurpose } from '#domain/attached-kubeconfig.ts';
import {
  authenticationConfiguration,
  type TrustedIssuer,
} from '#domain/authentication-configuration.ts';
import { createAddressPolicy } from '#runtime/addresses.ts';
import { createDoorbell } from '#runtime/doorbell.ts';
import { createEncryption, type Encryption } from '#runtime/encryption.ts';
import { health } from '#runtime/health.ts';
import { listen } from '#runtime/http-server.ts';
import type { Readiness } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { openLetter } from '#runtime/sealed-letter.ts';
import { type AuditEndpoint, auditConfiguration } from './audit/audit-configuration.ts';
import { createAuditReceiver } from './audit/audit-receiver.ts';
import { AUDIT_KEY_USE } from './audit/audit-token.ts';
import { type AuditWriterDeps, createAuditWriter } from './audit/audit-writer.ts';
import { authorizationWebhook } from './authorization/authorization-webhook.ts';
import type { RbacSyncConfig } from './config.ts';
import { type Controller, createController } from './controller.ts';
import { createAttachedProvisioner } from './provisioners/attached/attached-provisioner.ts';
import { createLocalProvisioner } from './provisioners/local/local-provisioner.ts';
import type { ApiServerConfiguration, Provisioner } from './provisioners/provisioner.ts';
import { createProvisionerRegistry, type ProvisionerRegistry } from './provisioners/registry.ts';
import { openVcluster } from './provisioners/vcluster/open-vcluster.ts';
import { createProbeTokens } from './trust/probe-tokens.ts';

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
  const encryption = createEncryption(config.ENCRYPTION_KEY);
  const issuer = await readIssuer(config);
  const audit = await startAudit({ config, encryption, db, doorbell, log, stack });
  const provisioners = stack.use(await createProvisioners({ config, db, issuer, audit }));
  const privateKey = config.ISSUER_CLIENT_PRIVATE_KEY;
  return stack.use(
    await createController({
      db,
      doorbell,
      provisioners,
      probeTokens: privateKey && stack.use(createProbeTokens({ issuer, privateKey })),
      encryption,
      metrics,
      log,
      resyncIntervalMs: config.RESYNC_INTERVAL_SECONDS * 1000,
    }),
  );
};

type AuditDeps = Pick<RbacSyncDeps, 'config' | 'log' | 'stack'> &
  AuditWriterDeps & {
    readonly encryption: Encryption;
  };

/** Listens for the clusters' audit events, if they are told to send any. */
const startAudit = async (deps: AuditDeps): Promise<AuditEndpoint | undefined> => {
  const { config, encryption, log, stack } = deps;
  const { AUDIT_WEBHOOK_URL: url, AUDIT_PORT: port } = config;
  if (url === undefined || port === undefined) return undefined;
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : readFile(path, 'utf8');
  const [certificate, privateKey, certificateAuthority] = await Promise.all([
    read(config.AUDIT_TLS_CERTIFICATE_PATH),
    read(config.AUDIT_TLS_PRIVATE_KEY_PATH),
    read(config.AUDIT_CERTIFICATE_AUTHORITY_PATH),
  ]);
  const key = encryption.deriveKey(AUDIT_KEY_USE);
  // An API server sends the token that it was started with.
  const keys = encryption.deriveKeys(AUDIT_KEY_USE).map((each) => each.key);
  const receiver = createAuditReceiver({ keys, onWrites: createAuditWriter(deps), log });
  const tls = { certificate: certificate ?? '', privateKey: privateKey ?? '' };
  stack.use(await listen(receiver, { host: config.HOST, port, tls }));
  return { url, certificateAuthority, key };
};

const readIssuer = async (config: RbacSyncConfig): Promise<TrustedIssuer> => {
  const path = config.ISSUER_CERTIFICATE_AUTHORITY_PATH;
  const certificateAuthority = path === undefined ? undefined : await readFile(path, 'utf8');
  return { url: config.ISSUER_URL, certificateAuthority };
};

const createProvisioners = async ({
  config,
  db,
  issuer,
  audit,
}: {
  readonly config: RbacSyncConfig;
  readonly db: DatabasePool;
  readonly issuer: TrustedIssuer;
  readonly audit: AuditEndpoint | undefined;
}): Promise<ProvisionerRegistry> => {
  const key = config.AUTHORIZATION_KEY;
  const configurationFor = (workspaceId: string): ApiServerConfiguration => ({
    authentication: authenticationConfiguration(workspaceId, issuer),
    audit: audit && auditConfiguration(workspaceId, audit),
    authorization: key && authorizationWebhook(workspaceId, { issuer, key }),
  });
  const provisioners = [
    ...openLocal(config, configurationFor),
    ...openAttached(config, db),
    ...(isOnHost(config) ? [await openVcluster(config, configurationFor)] : []),
  ];
  return createProvisionerRegistry({ provisioners, defaultName: config.PROVISIONER });
};

const openAttached = (config: RbacSyncConfig, db: DatabasePool): Provisioner[] => {
  const key = config.KUBECONFIG_PRIVATE_KEY;
  if (!key) return [];
  return [
    createAttachedProvisioner({
      db,
      open: (workspaceId, sealed) => openLetter(key, toKubeconfigPurpose(workspaceId), sealed),
      isAllowed: createAddressPolicy(config.ATTACHED_ALLOWED_CIDRS ?? []),
    }),
  ];
};

const isOnHost = (config: RbacSyncConfig): boolean =>
  config.PROVISIONER === 'vcluster' || config.HOST_KUBECONFIG !== undefined;

const openLocal = (
  config: RbacSyncConfig,
  configurationFor: (workspaceId: string) => ApiServerConfiguration,
): Provisioner[] => {
  const { LOCAL_PROVISIONER_DIRECTORY: directory, LOCAL_PROVISIONER_BINARIES: binaries } = config;
  if (directory === undefined || binaries === undefined) return [];
  return [createLocalProvisioner({ directory, binaries, configurationFor })];
};
