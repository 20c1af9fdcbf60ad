/**
 * Group resolution for a person beside a single primary-key look-up over the same connection, at
 * 10,000, 100,000 and 1,000,000 memberships and at depths 2, 8 and 32.
 */
import pg from 'pg';
import { sql } from 'slonik';
import * as z from 'zod';
import { migrate } from '#database/migrate.ts';
import { createDatabase } from '#database/pool.ts';
import { resolveMembership } from '../../issuer/people/groups.ts';
import { startPostgres } from '../../quickstart/embedded-postgres.ts';
import { printTable, race } from './measure.ts';

const GROUPS_PER_WORKSPACE = 96;
const PEOPLE_PER_WORKSPACE = 125;
const GROUPS_PER_PERSON = 8;
const PASSWORD = 'benchmark-only';
const Row = z.strictObject({ display_name: z.string() });

/** Runs and prints the table. */
export const benchGroupResolution = async (): Promise<void> => {
  await using server = await startPostgres(['-c', 'shared_buffers=1GB']);
  const rows: Record<string, string | number>[] = [];
  for (const depth of [2, 8, 32]) {
    for (const memberships of [10_000, 100_000, 1_000_000]) {
      rows.push(await measure(server, depth, memberships));
    }
  }
  printTable('group resolution (prepared statements, one connection)', rows);
};

type Server = Awaited<ReturnType<typeof startPostgres>>;

const measure = async (server: Server, depth: number, memberships: number) => {
  const name = `bench_${depth}_${memberships}`;
  const owner = new pg.Client({ connectionString: server.ownerUrl('postgres') });
  await owner.connect();
  await owner.query(`CREATE DATABASE ${name}`);
  await owner.end();
  await migrate(server.ownerUrl(name), { hexabase_issuer: PASSWORD });
  const people = await fill(server.ownerUrl(name), depth, memberships);
  const pool = await createDatabase({
    connectionString: server.roleUrl('hexabase_issuer', PASSWORD, name),
    maxConnections: 1,
  });
  let next = 0;
  const pick = () => {
    next = (next + 7919) % people.length;
    const person = people[next];
    if (!person) throw new Error('nobody');
    return person;
  };
  const result = await pool.connect((connection) =>
    race(
      {
        groups: () => {
          const { person_id, workspace_id } = pick();
          return resolveMembership(connection, person_id, workspace_id);
        },
        primaryKey: () =>
          connection.one(
            sql.prepared('bench_primary_key', Row)`
              SELECT display_name FROM person WHERE id = ${pick().person_id}
            `,
          ),
      },
      { rounds: 2000, warmup: 300 },
    ),
  );
  await pool.end();
  return {
    depth,
    memberships,
    'groups p50 ms': result.groups.p50.toFixed(3),
    'primary key p50 ms': result.primaryKey.p50.toFixed(3),
    ratio: (result.groups.p50 / result.primaryKey.p50).toFixed(2),
  };
};

type Person = { person_id: string; workspace_id: string };

/** Chains of the depth, until a workspace has its groups; each person in eight of them, at random. */
const fill = async (url: string, depth: number, memberships: number): Promise<Person[]> => {
  const workspaces = Math.ceil(memberships / (PEOPLE_PER_WORKSPACE * GROUPS_PER_PERSON));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const id = (kind: string, key: string) => `md5('${kind}' || ${key})::uuid`;
  await client.query(`
    SET session_replication_role = replica;
    INSERT INTO organization (id, slug, name) VALUES (md5('o')::uuid, 'bench', 'Bench');
    INSERT INTO workspace (id, organization_id, slug, name, plan_id)
      SELECT ${id('w', 'w')}, md5('o')::uuid, 'w' || w, 'W', (SELECT id FROM plan LIMIT 1)
      FROM generate_series(1, ${workspaces}) w;
    INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id)
      SELECT ${id('g', `w || '.' || g`)}, ${id('w', 'w')}, 'team-' || g, 'Team', CASE WHEN g % ${depth} = 0 THEN NULL
        ELSE ${id('g', `w || '.' || (g - 1)`)} END
      FROM generate_series(1, ${workspaces}) w, generate_series(0, ${GROUPS_PER_WORKSPACE - 1}) g;
    INSERT INTO person (id, display_name)
      SELECT ${id('p', `w || '.' || p`)}, 'P' FROM generate_series(1, ${workspaces}) w, generate_series(1, ${PEOPLE_PER_WORKSPACE}) p;
    INSERT INTO workspace_member (workspace_id, person_id)
      SELECT ${id('w', 'w')}, ${id('p', `w || '.' || p`)}
      FROM generate_series(1, ${workspaces}) w, generate_series(1, ${PEOPLE_PER_WORKSPACE}) p;
    INSERT INTO group_member (workspace_id, person_id, group_id)
      SELECT ${id('w', 'w')}, ${id('p', `w || '.' || p`)},
        ${id('g', `w || '.' || ((p * 37 + m * 12 + (p * m) % 11) % ${GROUPS_PER_WORKSPACE})`)}
      FROM generate_series(1, ${workspaces}) w, generate_series(1, ${PEOPLE_PER_WORKSPACE}) p,
        generate_series(0, ${GROUPS_PER_PERSON - 1}) m
      ON CONFLICT DO NOTHING;
    SET session_replication_role = origin;
  `);
  await client.query('VACUUM ANALYZE');
  const { rows } = await client.query<Person>(
    'SELECT person_id, workspace_id FROM workspace_member TABLESAMPLE SYSTEM (50) LIMIT 5000',
  );
  await client.end();
  return rows;
};
