/** Pages of lists, the first and one in the middle, from a thousand rows to a million. */
import type pg from 'pg';
import { printTable, summarize } from '../measure.ts';
import { type MeasuredServer, startServer } from './process.ts';
import { type BenchPerson, createWorld, type World } from './world.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000] as const;
const WARMUP = 30;
const SAMPLES = 200;
const PAGE = 50;
const LONGEST_PAGE = 500;

type List = {
  readonly title: string;
  readonly path: string;
  readonly token: string;
  /** Makes it, or what surrounds it, this long. */
  readonly grow: (size: number) => Promise<unknown>;
};

/** Runs and prints the tables. */
export const benchApiLists = async (): Promise<void> => {
  await using world = await createWorld();
  const lists = await describeLists(world);
  const rows = lists.map((): Record<string, string | number>[] => []);
  const bases: Page[] = [];
  for (const size of SIZES) {
    for (const list of lists) await list.grow(size);
    await world.owner.query('VACUUM ANALYZE');
    // Started anew, so that no plan is of the time when the tables were small.
    await using server = await startServer('./ours.ts', world.settings);
    for (const [i, list] of lists.entries()) {
      const page = await measurePages(server, list);
      bases[i] ??= page;
      rows[i]?.push(toRow(size, page, bases[i]));
    }
  }
  for (const [i, list] of lists.entries()) printTable(list.title, rows[i] ?? []);
};

type Page = { readonly first: number; readonly middle: number };

const toRow = (size: number, page: Page, base: Page): Record<string, string | number> => ({
  rows: size,
  'first page p50 ms': page.first.toFixed(2),
  'to 1,000': (page.first / base.first).toFixed(2),
  'middle page p50 ms': page.middle.toFixed(2),
  'to 1,000 ': (page.middle / base.middle).toFixed(2),
});

const measurePages = async (server: MeasuredServer, list: List): Promise<Page> => {
  const cursor = await findMiddle(server, list);
  const time = async (query: string): Promise<number> => {
    const samples: number[] = [];
    for (let i = -WARMUP; i < SAMPLES; i += 1) {
      const start = performance.now();
      await read(server, list, query);
      if (i >= 0) samples.push(performance.now() - start);
    }
    return summarize(samples).p50;
  };
  const middle = cursor === null ? '' : `&cursor=${cursor}`;
  return { first: await time(`limit=${PAGE}`), middle: await time(`limit=${PAGE}${middle}`) };
};

/** Turns pages as a caller would, and goes half the way back. */
const findMiddle = async (server: MeasuredServer, list: List): Promise<string | null> => {
  const cursors: (string | null)[] = [null];
  for (;;) {
    const at = cursors.at(-1);
    const page = await read(server, list, `limit=${LONGEST_PAGE}${at ? `&cursor=${at}` : ''}`);
    if (page.next_cursor === null) return cursors[Math.floor(cursors.length / 2)] ?? null;
    cursors.push(page.next_cursor);
  }
};

const read = async (
  server: MeasuredServer,
  { path, token }: List,
  query: string,
): Promise<{ next_cursor: string | null }> => {
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}${path}?${query}`, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { next_cursor: string | null };
};

const describeLists = async (world: World): Promise<readonly List[]> => {
  const { owner, admin, workspace } = world;
  const crowd = await world.addWorkspace('crowd');
  const [everywhere, resident] = [
    await world.addPerson('Everywhere'),
    await world.addPerson('Resident'),
  ];
  return [
    {
      title: `groups of a workspace, ${PAGE} a page`,
      path: `${workspace.path}/groups`,
      token: admin.token,
      grow: (size) =>
        owner.query(`
          INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id)
          SELECT uuidv7(), '${workspace.id}', 'team-' || n, 'Team ' || n, '${workspace.membersGroup}'
          FROM generate_series(
            (SELECT count(*) FROM workspace_group WHERE workspace_id = '${workspace.id}'), ${size}
          ) n`),
    },
    {
      title: `members of a workspace, ${PAGE} a page`,
      path: `${crowd.path}/members`,
      token: admin.token,
      grow: (size) => growMembers(owner, crowd.id, size),
    },
    {
      title: `workspaces of a person, ${PAGE} a page`,
      path: '/v1/workspaces',
      token: everywhere.token,
      grow: (size) => growWorkspaces(world, everywhere, size),
    },
    {
      title: `the ${RESIDENT_OF} workspaces of a person, among those of others, ${PAGE} a page`,
      path: '/v1/workspaces',
      token: resident.token,
      grow: () => spread(owner, resident),
    },
  ];
};

const growMembers = async (owner: pg.Client, workspaceId: string, size: number): Promise<void> => {
  await owner.query(`
    WITH added AS (
      INSERT INTO person (id, display_name, first_signed_in_at)
      SELECT uuidv7(), 'Person ' || n, now()
      FROM generate_series(
        (SELECT count(*) FROM workspace_member WHERE workspace_id = '${workspaceId}'), ${size}
      ) n
      RETURNING id
    )
    INSERT INTO workspace_member (workspace_id, person_id) SELECT '${workspaceId}', id FROM added`);
};

const growWorkspaces = async (
  { owner, organizationId }: World,
  person: BenchPerson,
  size: number,
): Promise<void> => {
  await owner.query(`
    WITH added AS (
      INSERT INTO workspace (id, organization_id, slug, name, plan_id)
      SELECT uuidv7(), '${organizationId}', 'ws-' || n, 'Workspace ' || n,
        (SELECT id FROM plan ORDER BY id LIMIT 1)
      FROM generate_series(
        (SELECT count(*) FROM workspace_member WHERE person_id = '${person.id}'), ${size}
      ) n
      RETURNING id
    )
    INSERT INTO workspace_member (workspace_id, person_id) SELECT id, '${person.id}' FROM added`);
};

const RESIDENT_OF = 1_000;

/** A thousand memberships, evenly among all workspaces. */
const spread = async (owner: pg.Client, { id }: BenchPerson): Promise<void> => {
  await owner.query(`DELETE FROM workspace_member WHERE person_id = '${id}'`);
  await owner.query(`
    INSERT INTO workspace_member (workspace_id, person_id)
    SELECT w.id, '${id}'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS total FROM workspace) w
    WHERE w.n % (w.total / ${RESIDENT_OF}) = 0
    LIMIT ${RESIDENT_OF}`);
};
