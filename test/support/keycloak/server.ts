/**
 * A real Keycloak over HTTPS, in memory, with one realm: a confidential client, users, and groups in a
 * `groups` claim. Starts in about 15 seconds; each test file that needs it starts its own.
 *
 * ```ts
 * await using keycloak = await startKeycloak(REALM);
 * await keycloak.registerCallback(`${issuer.issuerUrl}/connectors/keycloak/callback`);
 * ```
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { findFreePort } from '../../../quickstart/embedded-postgres.ts';
import { poll } from '../poll.ts';
import { createKeycloakAdmin, type KeycloakAdmin } from './admin.ts';
import { findKeycloak } from './program.ts';
import { CLIENT_ID, type KeycloakUser, REALM, toRealm } from './realm.ts';

/** A running Keycloak. */
export type Keycloak = AsyncDisposable &
  Omit<KeycloakAdmin, 'createRealm'> & {
    /** Its origin. */
    readonly url: string;
    /** The realm's issuer identifier. */
    readonly issuerUrl: string;
    readonly ca: string;
    readonly clientId: string;
    readonly clientSecret: string;
  };

const START_MS = 300_000;
const STOP_MS = 10_000;

/** Starts it with these users. @throws with the end of its log when it doesn't become ready */
export const startKeycloak = async (users: readonly KeycloakUser[]): Promise<Keycloak> => {
  const program = await findKeycloak();
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'keycloak-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const authority = await createCertificateAuthority('keycloak authority');
  const tls = await authority.sign({ commonName: 'keycloak', hosts: ['127.0.0.1'], days: 1 });
  const files = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  await writeFile(files.certificate, tls.certificate);
  await writeFile(files.key, tls.privateKey);
  const [port, managementPort, password] = [
    await findFreePort(),
    await findFreePort(),
    randomUUID(),
  ];
  const server = launch(program, { port, managementPort, password, ...files });
  stack.defer(() => stop(server.child));
  const url = `https://127.0.0.1:${port}`;
  const admin = stack.use(createKeycloakAdmin({ url, ca: authority.certificate, password }));
  await untilReady(server, admin);
  const clientSecret = `secret-${randomUUID()}`;
  await admin.createRealm(toRealm(users, clientSecret));
  const resources = stack.move();
  return {
    ...admin,
    url,
    issuerUrl: `${url}/realms/${REALM}`,
    ca: authority.certificate,
    clientId: CLIENT_ID,
    clientSecret,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

type Launch = {
  readonly port: number;
  readonly managementPort: number;
  readonly password: string;
  readonly certificate: string;
  readonly key: string;
};

type Server = { readonly child: ChildProcess; readonly log: () => string };

const launch = (program: string, options: Launch): Server => {
  const child = spawn(
    program,
    [
      'start',
      '--optimized',
      '--cache=local',
      '--hostname-strict=false',
      '--http-host=127.0.0.1',
      `--https-port=${options.port}`,
      `--http-management-port=${options.managementPort}`,
      `--https-certificate-file=${options.certificate}`,
      `--https-certificate-key-file=${options.key}`,
    ],
    {
      env: {
        ...process.env,
        // It lives a minute: compiling for the long run isn't worth it.
        JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
        KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
        KC_BOOTSTRAP_ADMIN_PASSWORD: options.password,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => lines.push(`${chunk}`));
  }
  return { child, log: () => lines.join('').slice(-4_000) };
};

const untilReady = async ({ child, log }: Server, admin: KeycloakAdmin): Promise<void> => {
  const ready = poll('Keycloak', () => admin.isReady(), START_MS);
  const ended = once(child, 'exit').then(() => {
    throw new Error('Keycloak ended');
  });
  try {
    await Promise.race([ready, ended]);
  } catch (error) {
    throw new Error(`Keycloak did not become ready:\n${log()}`, { cause: error });
  }
};

/** Its shell script passes SIGTERM on to Java. */
const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(force);
};
