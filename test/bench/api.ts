/**
 * The API beside a bare Koa and `pg` handler that sends PostgreSQL the very same statements: requests
 * per CPU second of the server's process, and latency at a fixed rate of concurrency; in turns, in one
 * run. Then lists from a thousand to a million rows, and the import of a real organisation.
 */
import { readFile } from 'node:fs/promises';
import autocannon from 'autocannon';
import pg from 'pg';
import { migrate } from '#database/migrate.ts';
import { createId, formatId } from '#domain/identifiers.ts';
import { startPostgres } from '../../quickstart/embedded-postgres.ts';
import { API_AUDIENCE, startTokenIssuer } from '../support/access-token.ts';
import {
  type MeasuredServer,
  type Recording,
  type ServerSettings,
  startServer,
} from './api/process.ts';
import { printTable, summarize } from './measure.ts';

const PASSWORD = 'benchmark-only';
const CONNECTIONS = 16;
const SECONDS = 4;
const ROUNDS = 4;

type World = {
  readonly settings: ServerSettings;
  readonly owner: pg.Client;
  readonly token: string;
  readonly workspaceId: string;
  readonly path: string;
  readonly groupId: string;
};

/** Runs and prints the tables. */
export const benchApi = async (): Promise<void> => {
  await using stack = new AsyncDisposableStack();
  const world = await prepare(stack);
  const recordings = await record(world);
  const ours = stack.use(await startServer('./ours.ts', world.settings));
  const peer = stack.use(await startServer('./peer.ts', { ...world.settings, recordings }));
  await benchRequests(world, { ours, peer });
  await benchLists(world, ours);
  await benchImport(world, ours);
};

const prepare = async (stack: AsyncDisposableStack): Promise<World> => {
  const postgres = stack.use(await startPostgres(['-c', 'shared_buffers=1GB', '-c', 'fsync=off']));
  const admin = new pg.Client({ connectionString: postgres.ownerUrl('postgres') });
  await admin.connect();
  await admin.query('CREATE DATABASE bench');
  await admin.end();
  await migrate(postgres.ownerUrl('bench'), { hexabase_tenancy_api: PASSWORD });
  const owner = new pg.Client({ connectionString: postgres.ownerUrl('bench') });
  await owner.connect();
  stack.defer(() => owner.end());
  const issuer = stack.use(await startTokenIssuer());
  const personId = createId();
  const token = await issuer.sign({ personId, expiresInSeconds: 3600 });
  const settings = {
    databaseUrl: postgres.roleUrl('hexabase_tenancy_api', PASSWORD, 'bench'),
    issuer: { url: issuer.url, certificateAuthority: issuer.certificateAuthority },
    audience: API_AUDIENCE,
  };
  const { workspaceId, groupId } = await furnish(owner, personId);
  const path = `/v1/workspaces/${formatId('workspace', workspaceId)}`;
  return { settings, owner, token, workspaceId, path, groupId };
};

/** A workspace with its presets, an admin and a thousand groups. */
const furnish = async (owner: pg.Client, personId: string) => {
  const [organizationId, workspaceId, members, admins, groupId] = Array.from({ length: 5 }, () =>
    createId(),
  );
  await owner.query(
    `INSERT INTO person (id, display_name, first_signed_in_at) VALUES ('${personId}', 'Bench', now())`,
  );
  await owner.query(
    `INSERT INTO organization (id, slug, name) VALUES ('${organizationId}', 'bench', 'Bench')`,
  );
  await owner.query(`
    INSERT INTO workspace (id, organization_id, slug, name, plan_id)
    SELECT '${workspaceId}', '${organizationId}', 'bench', 'Bench', id FROM plan LIMIT 1`);
  await owner.query(`INSERT INTO workspace_member VALUES ('${workspaceId}', '${personId}')`);
  await owner.query(`
    INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id, preset) VALUES
      ('${members}', '${workspaceId}', 'WorkspaceMembers', 'WorkspaceMembers', NULL, true),
      ('${admins}', '${workspaceId}', 'WSAdmins', 'WSAdmins', '${members}', true),
      ('${groupId}', '${workspaceId}', 'one', 'One', '${members}', false)`);
  await addGroups(owner, workspaceId ?? '', 1_000);
  await owner.query(
    `INSERT INTO group_member (workspace_id, person_id, group_id) VALUES ('${workspaceId}', '${personId}', '${admins}')`,
  );
  return { workspaceId: workspaceId ?? '', groupId: groupId ?? '' };
};

const addGroups = async (owner: pg.Client, workspaceId: string, until: number): Promise<void> => {
  await owner.query(`
    INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id)
    SELECT uuidv7(), '${workspaceId}', 'team-' || n, 'Team ' || n,
      (SELECT id FROM workspace_group WHERE workspace_id = '${workspaceId}' AND name = 'WorkspaceMembers')
    FROM generate_series(
      (SELECT count(*) FROM workspace_group WHERE workspace_id = '${workspaceId}'), ${until}
    ) n`);
  await owner.query('VACUUM ANALYZE');
};

const FIRST = 'recorded-first';

const request = (world: World, name: string) => {
  const groups = `${world.path}/groups`;
  const headers = { Authorization: `Bearer ${world.token}`, 'Content-Type': 'application/json' };
  if (name === 'list') return { method: 'GET', path: groups, headers } as const;
  if (name === 'read') {
    return {
      method: 'GET',
      path: `${groups}/${formatId('group', world.groupId)}`,
      headers,
    } as const;
  }
  return { method: 'POST', path: groups, headers, body: JSON.stringify({ name: FIRST }) } as const;
};

const record = async (world: World): Promise<Record<string, Recording>> => {
  await using server = await startServer('./ours.ts', world.settings, ['--record']);
  const recordings: Record<string, Recording> = {};
  const { rows } = await world.owner.query<{ id: string }>(
    'SELECT id FROM organization UNION SELECT id FROM person UNION SELECT id FROM workspace UNION SELECT id FROM workspace_group',
  );
  const known = rows.map(({ id }) => id);
  for (const name of ['list', 'read', 'create']) {
    const { path, ...rest } = request(world, name);
    await fetch(`${server.url}/v1/me`, { headers: rest.headers });
    await server.lastStatements();
    const response = await fetch(`${server.url}${path}`, rest);
    if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
    recordings[name] = { statements: await server.lastStatements(), fresh: FIRST, known };
  }
  return recordings;
};

type Servers = { readonly ours: MeasuredServer; readonly peer: MeasuredServer };

const benchRequests = async (world: World, servers: Servers): Promise<void> => {
  const rows: Record<string, string | number>[] = [];
  for (const name of ['read', 'list', 'create']) {
    const samples = { ours: [] as Load[], peer: [] as Load[] };
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const which of ['ours', 'peer'] as const) {
        const load = await fire(servers[which], request(world, name));
        if (round >= 0) samples[which].push(load);
      }
    }
    const [ours, peer] = [toMedians(samples.ours), toMedians(samples.peer)];
    rows.push({
      request: name,
      'ours per CPU s': ours.perCpuSecond.toFixed(0),
      'peer per CPU s': peer.perCpuSecond.toFixed(0),
      ratio: (ours.perCpuSecond / peer.perCpuSecond).toFixed(2),
      'ours p99 ms': ours.p99,
      'peer p99 ms': peer.p99,
    });
  }
  printTable(`requests (${CONNECTIONS} connections, in turns)`, rows);
};

type Load = { readonly perCpuSecond: number; readonly p99: number };

const toMedians = (loads: readonly Load[]): Load => ({
  perCpuSecond: summarize(loads.map((load) => load.perCpuSecond)).p50,
  p99: summarize(loads.map((load) => load.p99)).p50,
});

let counter = 0;

const fire = async (
  server: MeasuredServer,
  { path, ...rest }: ReturnType<typeof request>,
): Promise<Load> => {
  const before = await server.cpuSeconds();
  const result = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: SECONDS,
    requests: [
      {
        ...rest,
        path,
        ...('body' in rest && {
          setupRequest: (each: autocannon.Request) => {
            counter += 1;
            return { ...each, body: JSON.stringify({ name: `bench-${counter}` }) };
          },
        }),
      },
    ],
  } as autocannon.Options);
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${path}: ${result.non2xx} refused, ${result.errors} broken`);
  }
  const cpu = (await server.cpuSeconds()) - before;
  return { perCpuSecond: result['2xx'] / cpu, p99: result.latency.p99 };
};

const benchLists = async (world: World, server: MeasuredServer): Promise<void> => {
  const rows: Record<string, string | number>[] = [];
  const headers = { Authorization: `Bearer ${world.token}` };
  const time = async (query: string): Promise<number> => {
    const samples: number[] = [];
    for (let i = -20; i < 200; i += 1) {
      const start = performance.now();
      const response = await fetch(`${server.url}${world.path}/groups?${query}`, { headers });
      await response.text();
      if (!response.ok) throw new Error(`${response.status}`);
      if (i >= 0) samples.push(performance.now() - start);
    }
    return summarize(samples).p50;
  };
  let base: { first: number; middle: number } | undefined;
  for (const size of [1_000, 10_000, 100_000, 1_000_000]) {
    await addGroups(world.owner, world.workspaceId, size);
    const page = await fetch(`${server.url}${world.path}/groups?limit=500`, { headers });
    const { next_cursor: cursor } = (await page.json()) as { next_cursor: string };
    const now = { first: await time('limit=50'), middle: await time(`limit=50&cursor=${cursor}`) };
    base ??= now;
    rows.push({
      rows: size,
      'first page p50 ms': now.first.toFixed(2),
      'to 1,000': (now.first / base.first).toFixed(2),
      'later page p50 ms': now.middle.toFixed(2),
      'to 1,000 ': (now.middle / base.middle).toFixed(2),
    });
  }
  printTable('a page of 50 groups of a workspace', rows);
};

const benchImport = async (world: World, server: MeasuredServer): Promise<void> => {
  const file = new URL('../data/kubernetes-org-teams.json', import.meta.url);
  const { groups } = JSON.parse(await readFile(file, 'utf8')) as { groups: unknown[] };
  // A workspace of its own: the million groups of the lists would be planned with.
  const { workspaceId } = await furnishImport(world);
  const headers = { Authorization: `Bearer ${world.token}`, 'Content-Type': 'application/json' };
  const send = async () => {
    const start = performance.now();
    const response = await fetch(
      `${server.url}/v1/workspaces/${formatId('workspace', workspaceId)}/imports`,
      { method: 'POST', headers, body: JSON.stringify({ connector: 'github', groups }) },
    );
    if (!response.ok) throw new Error(await response.text());
    return performance.now() - start;
  };
  const rows = [
    { import: 'first', ms: (await send()).toFixed(0) },
    { import: 'again, nothing to do', ms: (await send()).toFixed(0) },
  ];
  printTable(`import of the Kubernetes organisation, ${groups.length} groups`, rows);
};

const furnishImport = async ({ owner, workspaceId }: World): Promise<{ workspaceId: string }> => {
  const id = createId();
  await owner.query(`
    INSERT INTO workspace (id, organization_id, slug, name, plan_id)
    SELECT '${id}', organization_id, 'import', 'Import', plan_id FROM workspace WHERE id = '${workspaceId}'`);
  await owner.query(`
    INSERT INTO workspace_member (workspace_id, person_id)
    SELECT '${id}', person_id FROM workspace_member WHERE workspace_id = '${workspaceId}'`);
  await owner.query(`
    INSERT INTO workspace_group (id, workspace_id, name, display_name, preset)
    VALUES ('${createId()}', '${id}', 'WorkspaceMembers', 'WorkspaceMembers', true),
      ('${createId()}', '${id}', 'WSAdmins', 'WSAdmins', true)`);
  await owner.query(`
    INSERT INTO group_member (workspace_id, person_id, group_id)
    SELECT '${id}', m.person_id, g.id FROM workspace_member m, workspace_group g
    WHERE m.workspace_id = '${id}' AND g.workspace_id = '${id}' AND g.name = 'WSAdmins'`);
  return { workspaceId: id };
};
