/**
 * Requests per CPU second of the server's process, and latency under a fixed number of connections:
 * the API and its peer in turns, in one run.
 */
import autocannon from 'autocannon';
import { formatId } from '#domain/identifiers.ts';
import { printTable, summarize } from '../measure.ts';
import {
  type MeasuredServer,
  type Recording,
  type RequestName,
  type ServerSettings,
  startServer,
} from './process.ts';
import { createWorld, type World } from './world.ts';

const CONNECTIONS = 16;
const SECONDS = 4;
const ROUNDS = 5;
const GROUPS = 1_000;
const FIRST = 'recorded-first';

const TITLES = {
  read: 'read a group',
  list: 'list 50 groups',
  create: 'create a group (audit, outbox)',
  change: 'create a project (audit, outbox, task)',
} as const satisfies Record<RequestName, string>;
const NAMES = Object.keys(TITLES) as RequestName[];

/** Runs and prints the table. */
export const benchApiRequests = async (): Promise<void> => {
  await using world = await createWorld();
  await world.owner.query(`
    INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id)
    SELECT uuidv7(), '${world.workspace.id}', 'team-' || n, 'Team ' || n, '${world.workspace.membersGroup}'
    FROM generate_series(1, ${GROUPS}) n`);
  await world.owner.query('VACUUM ANALYZE');
  const settings: ServerSettings = { ...world.settings, recordings: await record(world) };
  await using ours = await startServer('./ours.ts', settings);
  await using peer = await startServer('./peer.ts', settings);
  await assertSameAnswers(world, { ours, peer });
  const rows: Record<string, string | number>[] = [];
  for (const name of NAMES) rows.push(await compare(world, name, { ours, peer }));
  printTable(`requests, ${CONNECTIONS} connections, in turns`, rows);
};

type BenchRequest = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

const toRequest = ({ workspace, admin }: World, name: RequestName): BenchRequest => {
  const headers = { Authorization: `Bearer ${admin.token}`, 'Content-Type': 'application/json' };
  const groups = `${workspace.path}/groups`;
  const body = JSON.stringify({ name: FIRST });
  switch (name) {
    case 'read':
      return {
        method: 'GET',
        path: `${groups}/${formatId('group', workspace.adminsGroup)}`,
        headers,
      };
    case 'list':
      return { method: 'GET', path: groups, headers };
    case 'create':
      return { method: 'POST', path: groups, headers, body };
    case 'change':
      return { method: 'POST', path: `${workspace.path}/projects`, headers, body };
  }
};

const record = async (world: World): Promise<Record<string, Recording>> => {
  await using server = await startServer('./ours.ts', world.settings, ['--record']);
  const { rows } = await world.owner.query<{ id: string }>(
    'SELECT id FROM organization UNION SELECT id FROM person UNION SELECT id FROM workspace UNION SELECT id FROM workspace_group UNION SELECT id FROM plan',
  );
  const known = rows.map(({ id }) => id);
  const recordings: Record<string, Recording> = {};
  for (const name of NAMES) {
    const { path, ...rest } = toRequest(world, name);
    await (await fetch(`${server.url}/v1/me`, { headers: rest.headers })).text();
    await server.lastStatements();
    const response = await fetch(`${server.url}${path}`, rest);
    if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
    await response.text();
    recordings[name] = { statements: await server.lastStatements(), fresh: FIRST, known };
  }
  return recordings;
};

type Servers = { readonly ours: MeasuredServer; readonly peer: MeasuredServer };

/** @throws when the peer doesn't do the same job */
const assertSameAnswers = async (world: World, { ours, peer }: Servers): Promise<void> => {
  for (const name of NAMES) {
    const [expected, found] = [await ask(ours, world, name), await ask(peer, world, name)];
    if (expected !== found) throw new Error(`${name}: the peer answers otherwise, ${found}`);
  }
};

/** The answer's status and shape; ids, names, times and cursors differ. */
const ask = async (server: MeasuredServer, world: World, name: RequestName): Promise<string> => {
  const { path, ...rest } = renew(toRequest(world, name));
  const response = await fetch(`${server.url}${path}`, rest);
  const body: unknown = await response.json();
  const shape = (_: string, value: unknown) => (typeof value === 'string' ? 'text' : value);
  return `${response.status} ${JSON.stringify(body, shape)}`;
};

let counter = 0;

const renew = <Request extends { readonly body?: string }>(request: Request): Request => {
  if (request.body === undefined) return request;
  counter += 1;
  return { ...request, body: JSON.stringify({ name: `bench-${counter}` }) };
};

const compare = async (
  world: World,
  name: RequestName,
  servers: Servers,
): Promise<Record<string, string | number>> => {
  const samples = { ours: [] as Load[], peer: [] as Load[] };
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const which of ['ours', 'peer'] as const) {
      const load = await fire(servers[which], toRequest(world, name));
      if (round >= 0) samples[which].push(load);
    }
  }
  const [ours, peer] = [toMedians(samples.ours), toMedians(samples.peer)];
  return {
    request: TITLES[name],
    'per CPU s': ours.perCpuSecond.toFixed(0),
    'peer’s': peer.perCpuSecond.toFixed(0),
    ratio: (ours.perCpuSecond / peer.perCpuSecond).toFixed(2),
    'p99 ms': ours.p99,
    'peer’s ': peer.p99,
    'ratio ': (ours.p99 / peer.p99).toFixed(2),
  };
};

type Load = { readonly perCpuSecond: number; readonly p99: number };

const toMedians = (loads: readonly Load[]): Load => ({
  perCpuSecond: summarize(loads.map((load) => load.perCpuSecond)).p50,
  p99: summarize(loads.map((load) => load.p99)).p50,
});

const fire = async (server: MeasuredServer, request: BenchRequest): Promise<Load> => {
  const before = await server.cpuSeconds();
  const result = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: SECONDS,
    requests: [{ ...request, setupRequest: renew }],
  } as autocannon.Options);
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${request.path}: ${result.non2xx} refused, ${result.errors} broken`);
  }
  const cpu = (await server.cpuSeconds()) - before;
  return { perCpuSecond: result['2xx'] / cpu, p99: result.latency.p99 };
};
