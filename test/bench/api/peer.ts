/**
 * The same job without the API's layers: Koa, jose and `pg`, the statements of the API one after the
 * other as prepared statements, and the rows as the same JSON. It checks nothing.
 */
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import Koa from 'koa';
import pg from 'pg';
import getRawBody from 'raw-body';
import { Agent, fetch } from 'undici';
import { createId } from '#domain/identifiers.ts';
import { listen } from '#runtime/http-server.ts';
import { type GroupRow, toGroup } from '../../../tenancy-api/groups/schema.ts';
import { type Recording, type ServerSettings, serveParent } from './process.ts';

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

const run = async (pool: pg.Pool, script: Script, fresh: string): Promise<GroupRow[]> => {
  const client = await pool.connect();
  let rows: GroupRow[] = [];
  const id = toIds();
  try {
    for (const { text, name, fill } of script) {
      const result = name
        ? await client.query({ name, text, values: fill(fresh, id) })
        : await client.query(text);
      if (result.fields?.some((field) => field.name === 'parent_id')) rows = result.rows;
    }
    return rows;
  } finally {
    client.release();
  }
};

const start = async (settings: ServerSettings): Promise<string> => {
  const { issuer, audience, recordings = {} } = settings;
  const dispatcher = new Agent({ connect: { ca: issuer.certificateAuthority } });
  const keys = createRemoteJWKSet(new URL('/jwks', issuer.url), {
    [customFetch]: ((url: string, init: object) => fetch(url, { ...init, dispatcher })) as never,
  });
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 10 });
  const scripts = Object.fromEntries(
    Object.entries(recordings).map(([name, recording]) => [name, toScript(recording)]),
  );
  const app = new Koa();
  app.use(async (ctx) => {
    const token = ctx.get('Authorization').slice('Bearer '.length);
    await jwtVerify(token, keys, { issuer: issuer.url, audience, typ: 'at+jwt' });
    if (ctx.method === 'POST') {
      const { name } = JSON.parse(await getRawBody(ctx.req, { encoding: 'utf8' })) as {
        name: string;
      };
      const [row] = await run(pool, scripts['create'] ?? [], name);
      ctx.status = 201;
      ctx.body = row && toGroup(row);
    } else if (ctx.path.endsWith('/groups')) {
      const rows = await run(pool, scripts['list'] ?? [], '');
      ctx.body = { items: rows.slice(0, 50).map(toGroup), next_cursor: 'none' };
    } else {
      const [row] = await run(pool, scripts['read'] ?? [], '');
      ctx.body = row && toGroup(row);
    }
  });
  const server = await listen(app.callback(), { host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${server.port}`;
};

serveParent(start);
