/**
 * Starts once what the integration and end-to-end tests share: PostgreSQL with a migrated template
 * database, the Kubernetes programs, helm, and NATS. Fails, saying what to install, when one can't be had.
 */
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate, SERVICE_ROLES } from '#database/migrate.ts';
import { findControlPlane } from '../../quickstart/control-plane/binaries.ts';
import { startPostgres } from '../../quickstart/embedded-postgres.ts';
import { findHelm } from './helm.ts';
import { startNats } from './nats.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the superuser, with `DATABASE` for the database's name. */
    postgresUrl: string;
    servicePassword: string;
    controlPlaneDirectory: string;
    kubectl: string;
    helm: string;
    natsUrl: string;
  }
}

const PASSWORD = 'integration-tests-only';

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const stack = new AsyncDisposableStack();
  try {
    const [{ directory: binaries, kubectl }, helm, nats, postgres] = await Promise.all([
      findControlPlane(),
      findHelm(),
      startNats().then((server) => stack.use(server)),
      startPostgres([
        '-c',
        'fsync=off',
        '-c',
        'synchronous_commit=off',
        '-c',
        'max_connections=400',
      ]).then((server) => stack.use(server)),
    ]);
    await createTemplate(postgres.ownerUrl('postgres'), postgres.ownerUrl('template_hexabase'));
    project.provide('postgresUrl', postgres.ownerUrl('DATABASE'));
    project.provide('servicePassword', PASSWORD);
    project.provide('controlPlaneDirectory', binaries);
    project.provide('kubectl', kubectl);
    project.provide('helm', helm);
    project.provide('natsUrl', nats.url);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return () => stack.disposeAsync();
};

const createTemplate = async (serverUrl: string, templateUrl: string): Promise<void> => {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query('CREATE DATABASE template_hexabase');
  await client.end();
  await migrate(templateUrl, Object.fromEntries(SERVICE_ROLES.map((role) => [role, PASSWORD])));
};
