/**
 * The same job without the API's layers: Koa and `pg`, the statements of the API one after the other as
 * prepared statements, and the rows as the same JSON. Tokens are verified as the API does; nothing else
 * is checked.
 */
import { createHash } from 'node:crypto';
import Koa from 'koa';
import pg from 'pg';
import getRawBody from 'raw-body';
import { createId } from '#domain/identifiers.ts';
import { listen } from '#runtime/http-server.ts';
import { createAccessTokenVerifier } from '../../../tenancy-api/access-token.ts';
import { type GroupRow, toGroup } from '../../../tenancy-api/groups/schema.ts';
import { type ProjectRow, toProject } from '../../../tenancy-api/projects/schema.ts';
import { type TaskRow, toTask } from '../../../tenancy-api/tasks/schema.ts';
import { type Recording, type RequestName, type ServerSettings, serveParent } from './process.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Statements ready to be sent again, with what is new each time marked. */
type Script = readonly {
  readonly name: string | undefined;
  readonly text: string;
  readonly fill: (fresh: string, id: (old: string) => string) => unknown[];
}[];

const toScript = ({ statements, fresh, known }: Recording): Script =>
  statements.map(({ text, values }) => ({
    text,
    name: values.length === 0 ? undefined : createHash('md5').update(text).digest('hex'),
    fill: (name, id) => values.map((value) => renew(value, { name, id, fresh, known })),
  }));

type Renewal = Pick<Recording, 'fresh' | 'known'> & {
  readonly name: string;
  readonly id: (old: string) => string;
};

const renew = (value: unknown, renewal: Renewal): unknown => {
  if (Array.isArray(value)) return value.map((each) => renew(each, renewal));
  if (typeof value !== 'string') return value;
  const { fresh, known, name, id } = renewal;
  if (UUID.test(value) && !known.includes(value)) return id(value);
  return value.replaceAll(fresh, name);
};

/** Values that come in the first request already are there before it; others it made itself. */
const toIds = () => {
  const ids = new Map<string, string>();
  return (old: string): string => {
    const id = ids.get(old) ?? createId();
    ids.set(old, id);
    return id;
  };
};

/** The rows of each statement. */
type Results = readonly pg.QueryResult[];

const run = async (pool: pg.Pool, script: Script, fresh: string): Promise<Results> => {
  const client = await pool.connect();
  const results: pg.QueryResult[] = [];
  const id = toIds();
  try {
    for (const { text, name, fill } of script) {
      results.push(
        name
          ? await client.query({ name, text, values: fill(fresh, id) })
          : await client.query(text),
      );
    }
    return results;
  } finally {
    client.release();
  }
};

/** The rows of the last statement that answers this column. */
const rowsWith = <Row>(results: Results, column: string): Row[] =>
  results.findLast(({ fields }) => fields?.some(({ name }) => name === column))?.rows ?? [];

const ANSWERS: Record<RequestName, (results: Results) => { status: number; body: unknown }> = {
  read: (results) => {
    const [row] = rowsWith<GroupRow>(results, 'preset');
    return { status: 200, body: row && toGroup(row) };
  },
  list: (results) => {
    const rows = rowsWith<GroupRow>(results, 'preset');
    return { status: 200, body: { items: rows.slice(0, 50).map(toGroup), next_cursor: 'none' } };
  },
  create: (results) => {
    const [row] = rowsWith<GroupRow>(results, 'preset');
    return { status: 201, body: row && toGroup(row) };
  },
  change: (results) => {
    const [project] = rowsWith<ProjectRow>(results, 'quota');
    const [task] = rowsWith<TaskRow>(results, 'finished_at');
    const body = { project: project && toProject(project), task: task && toTask(task) };
    return { status: 202, body };
  },
};

const toName = ({ method, path }: Koa.Context): RequestName => {
  if (method === 'POST') return path.endsWith('/projects') ? 'change' : 'create';
  return path.endsWith('/groups') ? 'list' : 'read';
};

const start = async (settings: ServerSettings): Promise<string> => {
  const { issuer, audience, recordings = {} } = settings;
  const accessTokens = createAccessTokenVerifier({ issuer, audience });
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 10 });
  const scripts = Object.fromEntries(
    Object.entries(recordings).map(([name, recording]) => [name, toScript(recording)]),
  );
  const app = new Koa();
  // When a measurement is over, requests are cut off; answers that aren't 2xx are the bench's to refuse.
  app.silent = true;
  app.use(async (ctx) => {
    const token = ctx.get('Authorization').slice('Bearer '.length);
    await accessTokens.verify(token);
    const name = toName(ctx);
    const { name: fresh } =
      ctx.method === 'POST'
        ? (JSON.parse(await getRawBody(ctx.req, { encoding: 'utf8' })) as { name: string })
        : { name: '' };
    const { status, body } = ANSWERS[name](await run(pool, scripts[name] ?? [], fresh));
    ctx.status = status;
    ctx.body = body;
  });
  const server = await listen(app.callback(), { host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${server.port}`;
};

serveParent(start);
