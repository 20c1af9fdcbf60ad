/** The connection pool that every service makes once, in its main.ts. */
import {
  createPool,
  type DatabasePool,
  type Interceptor,
  type QueryResultRow,
  SchemaValidationError,
  type SerializableValue,
  sql,
} from 'slonik';
import * as z from 'zod';
import { createPatientDriver } from './patient-driver.ts';

/** Options of {@link createDatabase}. */
export type DatabaseOptions = {
  readonly connectionString: string;
  readonly maxConnections?: number;
  /**
   * How long a statement or a connection may take, in milliseconds; by default a minute and five seconds.
   * A service that people wait for says less, and tells them that the database is away.
   */
  readonly patienceMs?: number;
};

/**
 * A pool whose rows are validated by the schema beside each query, with timestamps as `Date` and
 * `bigint` columns as numbers.
 *
 * Connections are handed on without `DISCARD ALL`, which costs a round trip a query and throws away
 * prepared statements; nothing here sets session state, only transaction-local settings.
 *
 * @throws when the role could pass over row-level security: a superuser, a BYPASSRLS role, or the
 * owner of a table
 */
export const createDatabase = async (options: DatabaseOptions): Promise<DatabasePool> => {
  const { patienceMs } = options;
  const pool = await createPool(options.connectionString, {
    driverFactory: createPatientDriver((patienceMs ?? DEFAULT_STATEMENT_MS) + ANSWER_MS),
    ...(patienceMs !== undefined && {
      statementTimeout: patienceMs,
      connectionTimeout: Math.min(patienceMs, CONNECTION_MS),
      connectionRetryLimit: 1,
      gracefulTerminationTimeout: ANSWER_MS,
    }),
    maxPoolSize: options.maxConnections ?? 10,
    idleTimeout: 60_000,
    resetConnection: async () => {},
    interceptors: [rowValidation, createStatementNaming()],
    typeParsers: [
      { name: 'timestamptz', parse: (value) => new Date(value) as unknown as SerializableValue },
      { name: 'int8', parse: toSafeInteger },
    ],
  });
  await assertBounded(pool).catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  return pool;
};

// The pool's own defaults, in milliseconds.
const DEFAULT_STATEMENT_MS = 60_000;
const CONNECTION_MS = 5_000;
// What the server's own timeout, which says which statement was too slow, gets to arrive in.
const ANSWER_MS = 1_000;

const toSafeInteger = (value: string): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is beyond 2^53`);
  return number;
};

const rowValidation: Interceptor = {
  name: 'row-validation',
  transformRow: ({ resultParser }, query, row): QueryResultRow => {
    if (!resultParser) return row;
    const result = resultParser['~standard'].validate(row);
    if (result instanceof Promise) throw new TypeError('row schemas must be synchronous');
    if (result.issues) throw new SchemaValidationError(query, row, result.issues);
    return result.value as QueryResultRow;
  },
};

// A program has a few hundred statements; texts beyond these differ from call to call.
const MAX_NAMED_STATEMENTS = 1_000;

/**
 * Names statements, so that each connection parses a text once and is sent its parameters alone from then
 * on.
 */
const createStatementNaming = (): Interceptor => {
  const names = new Map<string, string>();
  return {
    name: 'statement-naming',
    transformQuery: (_context, query) => {
      if (query.name !== undefined) return query;
      let name = names.get(query.sql);
      if (name === undefined) {
        if (names.size === MAX_NAMED_STATEMENTS) return query;
        name = `statement_${names.size}`;
        names.set(query.sql, name);
      }
      return { ...query, name };
    },
  };
};

const Bounds = z.strictObject({ role: z.string(), unbounded: z.boolean() });

const assertBounded = async (pool: DatabasePool): Promise<void> => {
  const { role, unbounded } = await pool.one(sql.type(Bounds)`
    SELECT current_user::text AS role,
      EXISTS (
        SELECT FROM pg_roles
        WHERE (rolsuper OR rolbypassrls) AND pg_has_role(current_user, oid, 'MEMBER')
      ) OR EXISTS (
        SELECT FROM pg_tables
        WHERE schemaname = 'public' AND pg_has_role(current_user, tableowner, 'MEMBER')
      ) AS unbounded
  `);
  if (unbounded) {
    throw new Error(
      `The database role "${role}" passes over row-level security (superuser, BYPASSRLS, owner, or a member of such a role). ` +
        'Connect as the service’s own role: hexabase_issuer, hexabase_tenancy_api or hexabase_rbac_sync.',
    );
  }
};
