/** A database of its own for each test file, cloned from the migrated template. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DatabasePool } from 'slonik';
import { inject } from 'vitest';
import type { ServiceRole } from '#database/migrate.ts';
import { createDatabase } from '#database/pool.ts';

/** A fresh database with the current schema. */
export type TestDatabase = AsyncDisposable & {
  /** Connection string of the superuser: for arranging and for looking past row-level security. */
  readonly ownerUrl: string;
  readonly urlFor: (role: ServiceRole) => string;
  /** A pool of a service's role, closed with the database. */
  readonly connectAs: (role: ServiceRole) => Promise<DatabasePool>;
  /** Runs SQL as the superuser. */
  readonly query: <Row extends pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ) => Promise<Row[]>;
  /** Runs statements as the superuser, all or none; answers the rows of the last. */
  readonly transaction: <Row extends pg.QueryResultRow>(
    statements: readonly (readonly [text: string, ...values: unknown[]])[],
  ) => Promise<Row[]>;
};

/** Makes the database; dispose of it in `afterAll`. */
export const createTestDatabase = async (): Promise<TestDatabase> => {
  const template = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(template, `CREATE DATABASE ${name} TEMPLATE template_hexabase`);
  const ownerUrl = template.replace('DATABASE', name);
  const urlFor = (role: ServiceRole) => {
    const url = new URL(ownerUrl);
    url.username = role;
    url.password = inject('servicePassword');
    return url.href;
  };
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 4 });
  const pools: DatabasePool[] = [];
  return {
    ownerUrl,
    urlFor,
    connectAs: async (role) => {
      const pool = await createDatabase({ connectionString: urlFor(role) });
      pools.push(pool);
      return pool;
    },
    query: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await owner.query<Row>(text, values)).rows,
    transaction: (statements) => runTogether(owner, statements),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      await owner.end();
      await dropDatabase(template, name);
    },
  };
};

const runTogether = async <Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statements: readonly (readonly [text: string, ...values: unknown[]])[],
): Promise<Row[]> => {
  const client = await pool.connect();
  let rows: Row[] = [];
  try {
    await client.query('BEGIN');
    for (const [text, ...values] of statements) ({ rows } = await client.query<Row>(text, values));
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
};

const LEAVE_MS = 5_000;

/**
 * Pools say that they have ended before the server has closed their connections. Cutting those would
 * be an error in whoever held them, so the database goes once they have left, or by force after a while.
 */
const dropDatabase = async (template: string, name: string): Promise<void> => {
  const deadline = Date.now() + LEAVE_MS;
  for (;;) {
    const force = Date.now() > deadline ? ' WITH (FORCE)' : '';
    try {
      await administer(template, `DROP DATABASE ${name}${force}`);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== OBJECT_IN_USE) throw error;
      await delay(20);
    }
  }
};

const OBJECT_IN_USE = '55006';

const administer = async (template: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: template.replace('DATABASE', 'postgres') });
  await client.connect();
  try {
    // Two clones of one template at once are refused; the lock makes them wait instead.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(statement);
  } finally {
    await client.end();
  }
};
