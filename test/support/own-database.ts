/** A PostgreSQL server for one test alone, which may be killed and comes back; with a migrated database. */
import pg from 'pg';
import { migrate, SERVICE_ROLES } from '#database/migrate.ts';
import { createDatabase } from '#database/pool.ts';
import { type PostgresServer, startPostgres } from '../../quickstart/embedded-postgres.ts';
import type { TestDatabase } from './database.ts';

const PASSWORD = 'integration-tests-only';
const NAME = 'hexabase';

/** A database on a server of its own. */
export type OwnDatabase = Omit<TestDatabase, 'transaction'> & { readonly server: PostgresServer };

/** Starts the server; what is committed survives a kill. */
export const createOwnDatabase = async (): Promise<OwnDatabase> => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startPostgres());
  const ownerUrl = server.ownerUrl(NAME);
  await query(server.ownerUrl('postgres'), `CREATE DATABASE ${NAME}`);
  await migrate(ownerUrl, Object.fromEntries(SERVICE_ROLES.map((role) => [role, PASSWORD])));
  const resources = stack.move();
  const urlFor: TestDatabase['urlFor'] = (role) => server.roleUrl(role, PASSWORD, NAME);
  return {
    server,
    ownerUrl,
    urlFor,
    connectAs: async (role) => {
      const pool = await createDatabase({ connectionString: urlFor(role) });
      resources.defer(() => pool.end());
      return pool;
    },
    query: (text, values = []) => query(ownerUrl, text, values),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** On a connection of its own each time: none is left that a kill could break. */
const query = async <Row extends pg.QueryResultRow>(
  connectionString: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
};
