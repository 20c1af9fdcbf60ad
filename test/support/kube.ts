/** rbac-sync on real control planes, and clients to look at what it made of them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { Registry } from 'prom-client';
import { inject } from 'vitest';
import {
  authenticationConfiguration,
  type TrustedIssuer,
} from '#domain/authentication-configuration.ts';
import { formatId } from '#domain/identifiers.ts';
import type { HostPlan } from '#domain/plan.ts';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { createDoorbell, type Doorbell } from '#runtime/doorbell.ts';
import { createEncryption } from '#runtime/encryption.ts';
import { listen } from '#runtime/http-server.ts';
import { createLogger } from '#runtime/log.ts';
import {
  type AuditEndpoint,
  auditConfiguration,
} from '../../rbac-sync/audit/audit-configuration.ts';
import { createAuditReceiver } from '../../rbac-sync/audit/audit-receiver.ts';
import { AUDIT_KEY_USE } from '../../rbac-sync/audit/audit-token.ts';
import { createAuditWriter } from '../../rbac-sync/audit/audit-writer.ts';
import {
  type AuthorizationEndpoint,
  authorizationWebhook,
} from '../../rbac-sync/authorization/authorization-webhook.ts';
import {
  type Credential,
  createKubernetesClient,
  type KubernetesClient,
} from '../../rbac-sync/cluster/kubernetes-client.ts';
import { type Controller, createController } from '../../rbac-sync/controller.ts';
import { createLocalProvisioner } from '../../rbac-sync/provisioners/local/local-provisioner.ts';
import type { ControlPlane, Provisioner } from '../../rbac-sync/provisioners/provisioner.ts';
import { createProvisionerRegistry } from '../../rbac-sync/provisioners/registry.ts';
import type { ProbeTokens } from '../../rbac-sync/trust/probe-tokens.ts';
import type { TestDatabase } from './database.ts';
import { type SigningIssuer, startSigningIssuer } from './signing-issuer.ts';

/** The logger of tests: silent but for LOG_LEVEL. */
export const testLog = createLogger('test', process.env['LOG_LEVEL'] ?? 'silent');

/** The key that seals tokens in tests. */
export const testEncryption = createEncryption([Buffer.alloc(32, 7)]);

/** Control planes in a directory that goes with them. */
export type TestProvisioner = AsyncDisposable & {
  readonly provisioner: Provisioner;
  readonly directory: string;
  readonly issuer: SigningIssuer;
};

/**
 * A local provisioner whose API servers trust a signing issuer.
 *
 * @param audit where they send their audit events to, if anywhere
 */
export const createTestProvisioner = async (audit?: AuditEndpoint): Promise<TestProvisioner> => {
  await using cleanup = new AsyncDisposableStack();
  const issuer = cleanup.use(await startSigningIssuer());
  const planes = cleanup.use(await createTestProvisionerFor(issuer, { audit }));
  const resources = cleanup.move();
  return {
    ...planes,
    issuer,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** Makes another AuthenticationConfiguration of the right one; asked at each start of an API server. */
export type ChangeAuthentication = (configuration: Record<string, unknown>) => object;

/** What a test may want otherwise. */
export type ProvisionerOptions = {
  /** Where API servers send their audit events to, if anywhere. */
  readonly audit?: AuditEndpoint | undefined;
  /** Whom API servers ask before RBAC, if anyone. */
  readonly authorization?: AuthorizationEndpoint | undefined;
  readonly change?: ChangeAuthentication;
};

/** A local provisioner whose API servers trust this issuer. */
export const createTestProvisionerFor = async (
  issuer: TrustedIssuer,
  options: ProvisionerOptions = {},
): Promise<Omit<TestProvisioner, 'issuer'>> => {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-control-planes-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const provisioner = cleanup.use(provisionerIn(directory, issuer, options));
  const resources = cleanup.move();
  return { provisioner, directory, [Symbol.asyncDispose]: () => resources.disposeAsync() };
};

/** A provisioner over a directory that may already hold control planes. */
export const provisionerIn = (
  directory: string,
  issuer: TrustedIssuer,
  { audit, authorization, change = (configuration) => configuration }: ProvisionerOptions = {},
): Provisioner =>
  createLocalProvisioner({
    directory,
    binaries: inject('controlPlaneDirectory'),
    unsafeNoFsync: true,
    configurationFor: (workspaceId) => ({
      authentication: change(authenticationConfiguration(workspaceId, issuer)),
      audit: audit && auditConfiguration(workspaceId, audit),
      authorization: authorization && authorizationWebhook(workspaceId, authorization),
    }),
  });

/** A receiver of audit events that keeps them in a database, as rbac-sync does. */
export const startTestAudit = async (
  database: TestDatabase,
): Promise<AuditEndpoint & AsyncDisposable> => {
  await using cleanup = new AsyncDisposableStack();
  const doorbell = cleanup.use(
    await createDoorbell({
      databaseUrl: database.urlFor('hexabase_rbac_sync'),
      natsUrl: undefined,
      log: testLog,
    }),
  );
  const db = await database.connectAs('hexabase_rbac_sync');
  const key = testEncryption.deriveKey(AUDIT_KEY_USE);
  const onWrites = createAuditWriter({ db, doorbell });
  const receiver = createAuditReceiver({ keys: [key], onWrites, log: testLog });
  const authority = await createCertificateAuthority('test audit');
  const tls = await authority.sign({ commonName: 'audit', hosts: ['127.0.0.1'], days: 1 });
  const { port } = cleanup.use(await listen(receiver, { host: '127.0.0.1', port: 0, tls }));
  const resources = cleanup.move();
  return {
    url: `https://127.0.0.1:${port}`,
    certificateAuthority: authority.certificate,
    key,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** A plan that asks nothing of its host. */
export const ANY_HOST: HostPlan = {
  workspaceQuota: {},
  isolation: 'shared',
  nodeSelector: {},
  tolerations: [],
};

/**
 * A workspace's control plane, up and answering. Asked for once more when it did not come up, as a controller
 * does: a port that was free may be somebody else's by the time that it is used.
 */
export const ensurePlane = (
  provisioner: Provisioner,
  workspaceId: string,
): Promise<ControlPlane> => {
  const ensure = () =>
    provisioner.ensure({ workspaceId, plan: ANY_HOST }, { onProgress: async () => {} });
  return ensure().catch(ensure);
};

/** A controller as rbac-sync runs it. */
export type TestController = AsyncDisposable & {
  readonly controller: Controller;
  readonly doorbell: Doorbell;
  readonly metrics: Registry;
};

/** Starts a controller on a database; its intervals are long, so that nothing is found by chance. */
export const startTestController = async (
  database: TestDatabase,
  provisioner: Provisioner,
  options: {
    readonly natsUrl?: string;
    readonly pollIntervalMs?: number;
    /** Provisioners besides the default one. */
    readonly others?: readonly Provisioner[];
    /** With them trust in the issuer is proven. */
    readonly probeTokens?: ProbeTokens;
  } = {},
): Promise<TestController> => {
  await using cleanup = new AsyncDisposableStack();
  const metrics = new Registry();
  const doorbell = cleanup.use(
    await createDoorbell({
      databaseUrl: database.urlFor('hexabase_rbac_sync'),
      natsUrl: options.natsUrl,
      log: testLog,
    }),
  );
  const controller = cleanup.use(
    await createController({
      db: await database.connectAs('hexabase_rbac_sync'),
      doorbell,
      provisioners: createProvisionerRegistry({
        provisioners: [provisioner, ...(options.others ?? [])],
        defaultName: provisioner.name,
      }),
      probeTokens: options.probeTokens,
      encryption: testEncryption,
      metrics,
      log: testLog,
      resyncIntervalMs: 3_600_000,
      pollIntervalMs: options.pollIntervalMs ?? 3_600_000,
    }),
  );
  const resources = cleanup.move();
  return { controller, doorbell, metrics, [Symbol.asyncDispose]: () => resources.disposeAsync() };
};

/** Clients of one workspace's API server. */
export type TestCluster = AsyncDisposable & {
  readonly plane: ControlPlane;
  /** As system:masters: sees and may do everything. */
  readonly root: KubernetesClient;
  /** As whoever has this bearer token. */
  readonly withToken: (token: string) => KubernetesClient;
  /** As someone of these groups, by a real ID token for this workspace. */
  readonly asMember: (
    groups: readonly string[],
    subject?: string,
    other?: JWTPayload,
  ) => Promise<KubernetesClient>;
};

/** Connects to a workspace's cluster, which must be up. */
export const connectTestCluster = async (
  {
    provisioner,
    issuer,
  }: Pick<TestProvisioner, 'provisioner'> & Partial<Pick<TestProvisioner, 'issuer'>>,
  workspaceId: string,
): Promise<TestCluster> => {
  const cleanup = new AsyncDisposableStack();
  const plane = await ensurePlane(provisioner, workspaceId);
  const connect = (credential: Credential) =>
    cleanup.use(
      createKubernetesClient({
        server: plane.server,
        certificateAuthority: plane.certificateAuthority,
        credential,
      }),
    );
  const withToken = (token: string) => connect({ token: () => token });
  return {
    plane,
    root: connect(await plane.bootstrapCredential()),
    withToken,
    asMember: async (groups, subject = aSubject(), other = {}) => {
      if (!issuer) throw new Error('only a signing issuer signs for everybody');
      const audience = formatId('workspace', workspaceId);
      return withToken(
        await issuer.sign({ audience, subject, groups, lifetimeSeconds: 900, other }),
      );
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
};

/** The public id of some person. */
export const aSubject = (): string => {
  const hex = randomBytes(16).toString('hex');
  return formatId('person', hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
};
