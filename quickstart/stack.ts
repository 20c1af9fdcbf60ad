/**
 * The whole platform on this machine: PostgreSQL from npm and the three services as they run in
 * production, with their embedded defaults (no NATS, no Redis, a generated certificate authority,
 * control planes as local processes). The quickstart shows it, the end-to-end tests use it.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import pg from 'pg';
import { Agent, fetch } from 'undici';
import { migrate, SERVICE_ROLES, type ServiceRole } from '#database/migrate.ts';
import { splitPem } from '#runtime/certificates.ts';
import { hashPassword } from '../issuer/connectors/local.ts';
import { createAuditSettings } from './audit-endpoint.ts';
import { type ControlPlaneBinaries, findControlPlane } from './control-plane/binaries.ts';
import { findFreePort, startPostgres } from './embedded-postgres.ts';
import { type ServiceName, type ServiceProcess, startService } from './service-process.ts';

/** Someone who can sign in through the local connector. */
export type Account = {
  readonly subject: string;
  readonly name: string;
  readonly email?: string;
};

/** What {@link startStack} needs. */
export type StackOptions = {
  readonly accounts: readonly Account[];
  /** Everyone's password. */
  readonly password: string;
  /** Tells what is going on. */
  readonly notify: (message: string) => void;
  /** Taken if they are free; otherwise, and without, any free ones: several stacks run side by side. */
  readonly preferredPorts?: { readonly issuer: number; readonly api: number };
  /** Settings on top of a service's own, e.g. NATS_URL. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** The running platform. */
export type Stack = AsyncDisposable & {
  /** Certificates, logs and kubeconfigs; removed when the stack stops. */
  readonly directory: string;
  readonly issuerUrl: string;
  readonly apiUrl: string;
  readonly apiAudience: string;
  /** PEM of the authority that signed the issuer's certificate, and the file that holds it. */
  readonly certificateAuthority: string;
  readonly certificateAuthorityPath: string;
  readonly controlPlane: ControlPlaneBinaries;
  /** The `hexabase` command: the project's CLI on the project's Node. */
  readonly command: string;
  /** A command for BROWSER that signs in through the pages by itself. */
  readonly browser: string;
  readonly ownerUrl: string;
  readonly services: readonly ServiceProcess[];
};

/** @throws with the end of the log of whatever did not start; what had started is stopped again */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  await using cleanup = new AsyncDisposableStack();
  const { notify } = options;
  const controlPlane = await findControlPlane();
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'logs'));

  notify('PostgreSQL');
  const database = await startDatabase(cleanup);
  const ports = {
    issuer: await findPort(options.preferredPorts?.issuer),
    api: await findPort(options.preferredPorts?.api),
    sync: await findFreePort(),
    audit: await findFreePort(),
  };
  const issuerUrl = `https://localhost:${ports.issuer}`;
  const apiUrl = `http://localhost:${ports.api}`;
  const context = { options, directory, ports, issuerUrl, apiAudience: `${apiUrl}/`, controlPlane };
  const environments = await createEnvironments(context, database.urlFor);
  const services: ServiceProcess[] = [];
  for (const name of ['issuer', 'tenancy-api', 'rbac-sync'] as const) {
    notify(name);
    const service = await startService({
      name,
      environment: environments[name],
      logDirectory: join(directory, 'logs'),
      isReady: readyCheck(name, context),
    });
    services.push(cleanup.use(service));
  }
  const resources = cleanup.move();
  return {
    directory,
    issuerUrl,
    apiUrl,
    apiAudience: context.apiAudience,
    certificateAuthorityPath: certificateAuthorityPath(directory),
    certificateAuthority: await readCertificate(directory),
    controlPlane,
    command: await writeCommand(directory, 'hexabase', '../cli/main.ts'),
    browser: await writeCommand(directory, 'browser', './browser.ts'),
    ownerUrl: database.ownerUrl,
    services,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

type Context = {
  readonly options: StackOptions;
  readonly directory: string;
  readonly ports: Readonly<Record<'issuer' | 'api' | 'sync' | 'audit', number>>;
  readonly issuerUrl: string;
  readonly apiAudience: string;
  readonly controlPlane: ControlPlaneBinaries;
};

const startDatabase = async (cleanup: AsyncDisposableStack) => {
  const server = cleanup.use(await startPostgres());
  const client = new pg.Client({ connectionString: server.ownerUrl('postgres') });
  await client.connect();
  await client.query('CREATE DATABASE hexabase');
  await client.end();
  const passwords: Partial<Record<ServiceRole, string>> = Object.fromEntries(
    SERVICE_ROLES.map((role) => [role, randomBytes(24).toString('hex')]),
  );
  const ownerUrl = server.ownerUrl('hexabase');
  await migrate(ownerUrl, passwords);
  return {
    ownerUrl,
    urlFor: (role: ServiceRole) => server.roleUrl(role, passwords[role] ?? '', 'hexabase'),
  };
};

const certificateAuthorityPath = (directory: string): string =>
  join(directory, 'certificate-authority.crt');

/** The certificate alone: the key beside it in the issuer's own directory is nobody else's. */
const readCertificate = (directory: string): Promise<string> =>
  readFile(certificateAuthorityPath(directory), 'utf8');

const createEnvironments = async (
  { options, directory, ports, issuerUrl, apiAudience, controlPlane }: Context,
  urlFor: (role: ServiceRole) => string,
): Promise<Record<ServiceName, Record<string, string>>> => {
  const key = () => randomBytes(32).toString('base64');
  const authorizationKey = key();
  const syncKeys = await generateKeyPair('ES256', { extractable: true });
  const letterKeys = await generateKeyPair('ES256', { extractable: true });
  const connectors = join(directory, 'connectors.json');
  await writeFile(connectors, JSON.stringify(await createConnectors(options)), { mode: 0o600 });
  const common = { NODE_ENV: 'development', ISSUER_URL: issuerUrl, ...options.environment };
  return {
    issuer: {
      ...common,
      DATABASE_URL: urlFor('hexabase_issuer'),
      PORT: `${ports.issuer}`,
      ENCRYPTION_KEY: key(),
      API_AUDIENCE: apiAudience,
      TLS_DIRECTORY: join(directory, 'tls'),
      CONNECTORS_FILE: connectors,
      AUTHORIZATION_KEY: authorizationKey,
      RBAC_SYNC_PUBLIC_KEY: JSON.stringify(await exportJWK(syncKeys.publicKey)),
    },
    'tenancy-api': {
      ...common,
      DATABASE_URL: urlFor('hexabase_tenancy_api'),
      PORT: `${ports.api}`,
      API_AUDIENCE: apiAudience,
      CURSOR_KEY: key(),
      KUBECONFIG_PUBLIC_KEY: JSON.stringify(await exportJWK(letterKeys.publicKey)),
      ISSUER_CERTIFICATE_AUTHORITY_PATH: certificateAuthorityPath(directory),
    },
    'rbac-sync': {
      ...common,
      DATABASE_URL: urlFor('hexabase_rbac_sync'),
      PORT: `${ports.sync}`,
      ENCRYPTION_KEY: key(),
      ISSUER_CERTIFICATE_AUTHORITY_PATH: certificateAuthorityPath(directory),
      AUTHORIZATION_KEY: authorizationKey,
      ISSUER_CLIENT_PRIVATE_KEY: JSON.stringify(await exportJWK(syncKeys.privateKey)),
      KUBECONFIG_PRIVATE_KEY: JSON.stringify(await exportJWK(letterKeys.privateKey)),
      // What can be attached here is on this machine.
      ATTACHED_ALLOWED_CIDRS: '127.0.0.0/8',
      LOCAL_PROVISIONER_DIRECTORY: join(directory, 'control-planes'),
      LOCAL_PROVISIONER_BINARIES: controlPlane.directory,
      ...(await createAuditSettings(join(directory, 'audit'), ports.audit)),
    },
  };
};

const createConnectors = async ({ accounts, password }: StackOptions) => {
  // One hash serves all: everyone here has the same password, and each costs real time to make.
  const passwordHash = await hashPassword(password);
  return [
    {
      type: 'local',
      id: 'local',
      name: 'Local accounts (quickstart only)',
      accounts: accounts.map((account) => ({
        ...account,
        username: account.subject,
        password_hash: passwordHash,
      })),
    },
  ];
};

const readyCheck = (name: ServiceName, context: Context) => async (): Promise<boolean> => {
  const { ports, directory, issuerUrl } = context;
  if (name !== 'issuer') {
    const port = name === 'tenancy-api' ? ports.api : ports.sync;
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  }
  const { certificate } = splitPem(await readFile(join(directory, 'tls', 'ca.pem'), 'utf8'));
  await writeFile(certificateAuthorityPath(directory), certificate);
  await using cleanup = new AsyncDisposableStack();
  const agent = new Agent({ connect: { ca: certificate } });
  cleanup.defer(() => agent.close());
  return (await fetch(`${issuerUrl}/readyz`, { dispatcher: agent })).ok;
};

/** A command that others can name, which runs a file of this checkout on this Node. */
const writeCommand = async (directory: string, name: string, script: string): Promise<string> => {
  const file = join(directory, 'bin', name);
  await mkdir(join(directory, 'bin'), { recursive: true });
  const path = fileURLToPath(new URL(script, import.meta.url));
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${path}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
};

const findPort = (preferred = 0): Promise<number> =>
  findFreePort(preferred).catch(() => findFreePort());
