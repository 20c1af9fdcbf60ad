/**
 * Applies `migrations/*.sql` in order, each once, all in one transaction under an advisory lock: of
 * two starting at once one applies and the other finds nothing to do, and a failing file leaves the
 * schema as it was. Forward only; a released file is never edited. Uses `pg` itself because slonik
 * refuses files of several statements.
 */
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

const DIRECTORY = new URL('./migrations/', import.meta.url);
const LOCK = 7_165_384_211;

/** The login roles of the services. */
export const SERVICE_ROLES = [
  'hexabase_issuer',
  'hexabase_tenancy_api',
  'hexabase_rbac_sync',
] as const;
export type ServiceRole = (typeof SERVICE_ROLES)[number];

/**
 * Brings the schema to this release's.
 *
 * @param connectionString of a role that may create tables and roles
 * @param passwords sets these service roles' passwords, the same on every run
 * @returns the names of the files applied now
 * @throws when the database knows a migration that this release doesn't: it belongs to a newer one
 */
export const migrate = async (
  connectionString: string,
  passwords: Partial<Record<ServiceRole, string>> = {},
): Promise<string[]> => {
  const client = new pg.Client({ connectionString, application_name: 'hexabase-migrate' });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const applied = await applyPending(client);
    for (const [role, password] of Object.entries(passwords)) {
      await client.query(
        `ALTER ROLE ${client.escapeIdentifier(role)} PASSWORD ${client.escapeLiteral(password)}`,
      );
    }
    await client.query('COMMIT');
    return applied;
  } finally {
    await client.end();
  }
};

const applyPending = async (client: pg.Client): Promise<string[]> => {
  await client.query(
    `CREATE TABLE IF NOT EXISTS migration (
       name text CONSTRAINT migration__name__pkey PRIMARY KEY,
       applied_at timestamptz NOT NULL DEFAULT now()
     )`,
  );
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migration');
  const known = new Set(rows.map((row) => row.name));
  const files = (await readdir(DIRECTORY)).filter((name) => name.endsWith('.sql')).sort();
  const unknown = [...known].filter((name) => !files.includes(name));
  if (unknown.length > 0) {
    throw new Error(`The database belongs to a newer release: it has ${unknown.join(', ')}.`);
  }
  const pending = files.filter((name) => !known.has(name));
  for (const name of pending) {
    await client.query(await readFile(new URL(name, DIRECTORY), 'utf8'));
    await client.query('INSERT INTO migration (name) VALUES ($1)', [name]);
  }
  return pending;
};
