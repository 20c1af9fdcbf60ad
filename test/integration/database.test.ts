import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate, SERVICE_ROLES } from '#database/migrate.ts';
import { createDatabase } from '#database/pool.ts';
import { createId } from '#domain/identifiers.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

describe('migrate', () => {
  it('finds nothing to do the second time', async () => {
    await expect(migrate(database.ownerUrl)).resolves.toEqual([]);
  });

  it('lets one of two that start at once apply everything', async () => {
    const name = `migrate_${createId().replaceAll('-', '')}`;
    await database.query(`CREATE DATABASE ${name}`);
    const url = inject('postgresUrl').replace('DATABASE', name);
    const applied = await Promise.all([migrate(url), migrate(url)]);
    expect(applied.map((files) => files.length).toSorted()).toEqual([0, expect.any(Number)]);
    await database.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  it('refuses a database of a newer release', async () => {
    await database.query(`INSERT INTO migration (name) VALUES ('9999-future.sql')`);
    await expect(migrate(database.ownerUrl)).rejects.toThrow(/newer release.*9999-future/);
    await database.query(`DELETE FROM migration WHERE name = '9999-future.sql'`);
  });
});

describe('createDatabase', () => {
  it('refuses a role that passes over row-level security', async () => {
    await expect(createDatabase({ connectionString: database.ownerUrl })).rejects.toThrow(
      /passes over row-level security/,
    );
  });

  it('refuses a role that may become one that passes over it', async () => {
    const owner = new URL(database.ownerUrl).username;
    const name = `member_${Date.now()}`;
    await database.query(`CREATE ROLE ${name} LOGIN PASSWORD 'x' IN ROLE "${owner}"`);
    const url = new URL(database.urlFor('hexabase_issuer'));
    Object.assign(url, { username: name, password: 'x' });
    await expect(createDatabase({ connectionString: url.href })).rejects.toThrow(
      /passes over row-level security/,
    );
    await database.query(`DROP ROLE ${name}`);
  });

  it.each(SERVICE_ROLES)('accepts %s', async (role) => {
    await expect(database.connectAs(role)).resolves.toBeDefined();
  });
});

describe('row-level security', () => {
  it('is forced on every table that holds tenants’ data', async () => {
    const open = await database.query(
      `SELECT relname FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         AND NOT (relrowsecurity AND relforcerowsecurity)
       ORDER BY relname`,
    );
    expect(open).toEqual([{ relname: 'migration' }]);
  });
});
