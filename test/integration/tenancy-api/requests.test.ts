import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withIssuer } from '../../../tenancy-api/openapi/document.ts';
import { OPENAPI_DOCUMENT } from '../../../tenancy-api/routes.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  workspace = await api.createWorkspace(admin);
});
afterAll(() => api[Symbol.asyncDispose]());

const groups = () => `${workspace.path}/groups`;

describe('a path', () => {
  it.each([
    '/',
    '/v1',
    '/v1/',
    '/v1/me/',
    '//v1/me',
    '/v1//me',
    '/V1/me',
    '/v1/Me',
    '/v1/me;x',
    '/v1%2fme',
    '/v1/me/..%2f',
    '/v1/nothing',
    '/v1/%ff',
  ])('%s that is not there is not found', async (path) => {
    const answer = await admin.call('GET', path);
    expect(answer).toMatchObject({ status: 404, body: { title: 'Not found' } });
  });

  it('that is there tells which methods it knows', async () => {
    const answer = await admin.call('PUT', groups(), {});
    expect(answer.status).toBe(405);
    expect(answer.headers.get('Allow')).toBe('GET, HEAD, OPTIONS, POST');
    expect((await admin.call('TRACE1', '/v1/me').catch(() => null))?.status ?? 400).toBe(400);
  });

  it('never carries the Host header into an answer', async () => {
    const forged = { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' };
    const list = await admin.call('GET', `${groups()}?limit=1`, undefined, forged);
    expect(list.headers.get('Link')).toMatch(/^<\/v1\/workspaces\//);
    expect(JSON.stringify([...list.headers, list.body])).not.toContain('evil');
  });
});

describe('a query', () => {
  it.each([
    'limit=0',
    'limit=501',
    'limit=x',
    'limit=1&limit=2',
    'offset=3',
    '__proto__=1',
    'cursor=',
  ])('%s is refused', async (query) => {
    const answer = await admin.call('GET', `${groups()}?${query}`);
    expect(answer.status).toBe(400);
  });

  it('is refused where a route takes none', async () => {
    const answer = await admin.call('GET', '/v1/me?verbose=1');
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter: 'verbose' }] } });
  });
});

describe('a body', () => {
  const raw = (body: string, headers: Record<string, string> = {}) =>
    admin.call('POST', groups(), body, headers);

  it.each(['{', '', 'null x', '{"name":"a",}', "{'name':'a'}", '\ufeff{"name":"a"}x', 'NaN'])(
    '%j is not JSON',
    async (body) => {
      expect(await raw(body)).toMatchObject({
        status: 400,
        body: { type: 'https://kaas.hexabase.io/problems/malformed-json' },
      });
    },
  );

  it('is refused, and not a fault, however deep it is', async () => {
    const depth = 100_000;
    const deep = `${'['.repeat(depth)}"\\u0000"${']'.repeat(depth)}`;
    expect(await raw(deep)).toMatchObject({
      status: 400,
      body: { type: 'https://kaas.hexabase.io/problems/malformed-json' },
    });
  });

  it.each([
    '[]',
    '"x"',
    '7',
    'null',
    'true',
    '{"name":7}',
    '{"name":["a"]}',
    '{"name":{"$gt":""}}',
  ])('%s is not what the route takes', async (body) => {
    expect((await raw(body)).status).toBe(400);
  });

  it('of unknown fields is refused, each by its place', async () => {
    const answer = await raw(
      '{"name":"a","preset":true,"workspace_id":"x","__proto__":{"preset":true},"constructor":1}',
    );
    expect(answer.status).toBe(400);
    const pointers = answer.body.errors.map((each: { pointer: string }) => each.pointer);
    expect(pointers).toEqual(
      expect.arrayContaining(['#/preset', '#/workspace_id', '#/constructor']),
    );
  });

  it('must be application/json, in UTF-8, and not compressed', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', '']) {
      expect((await raw('{"name":"a"}', { 'Content-Type': type })).status, type).toBe(415);
    }
    expect((await raw('{"name":"a"}', { 'Content-Encoding': 'gzip' })).status).toBe(415);
    const good = { 'Content-Type': 'application/json; charset=utf-8' };
    expect((await raw('{"name":"utf8"}', good)).status).toBe(201);
    const response = await fetch(new URL(groups(), api.url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${admin.token}`, 'Content-Type': 'application/json' },
      body: Buffer.from([0x7b, 0x22, 0x6e, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    });
    expect(response.status).toBe(400);
  });

  it('is missing where one is needed', async () => {
    expect((await admin.call('POST', groups())).status).toBe(415);
  });

  const TEN_MEGABYTES = 10 * 1024 * 1024;

  it('of 10 MB is refused, with its length told or not, and the connection lives on', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(TEN_MEGABYTES) });
    for (const path of [groups(), `${workspace.path}/imports`]) {
      const answer = await admin.call('POST', path, body);
      expect(answer).toMatchObject({
        status: 413,
        body: { detail: expect.stringContaining(path === groups() ? '262144' : '8388608') },
      });
    }
    const chunked = await fetch(new URL(groups(), api.url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${admin.token}`, 'Content-Type': 'application/json' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
    expect((await admin.call('GET', '/v1/me')).status).toBe(200);
  });

  it('of 10 MB and unknown length leaves the connection to the next request on it', async () => {
    const { hostname, port } = new URL(api.url);
    const head = `Host: x\r\nAuthorization: Bearer ${admin.token}\r\n`;
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (data) => {
      received += String(data);
    });
    socket.write(
      `POST ${groups()} HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let sent = 0; sent < TEN_MEGABYTES; sent += 65_536) socket.write(chunk);
    socket.write(`0\r\n\r\nGET /v1/me HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    await expect
      .poll(() => Array.from(received.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status), {
        timeout: 20_000,
      })
      .toEqual(['413', '200']);
    socket.destroy();
  });

  it('is not read at all for someone without a token', async () => {
    const answer = await api.call(null, 'POST', groups(), 'x'.repeat(TEN_MEGABYTES));
    expect(answer.status).toBe(401);
  });

  it('that breaks off harms nobody', async () => {
    await new Promise<void>((resolve) => {
      const broken = httpRequest(new URL(groups(), api.url), {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${admin.token}`,
          'Content-Type': 'application/json',
          'Content-Length': '1000',
        },
      });
      broken.on('error', () => resolve());
      broken.on('close', () => resolve());
      broken.write('{"name":', () => broken.destroy());
    });
    expect((await admin.call('GET', '/v1/me')).status).toBe(200);
  });
});

describe('a request id', () => {
  it('is the caller’s own when it is harmless, and another when not', async () => {
    const own = await admin.call('GET', '/v1/me?x', undefined, { 'X-Request-Id': 'abc-1' });
    expect(own.body.request_id).toBe('abc-1');
    const odd = await admin.call('GET', '/v1/me?x', undefined, { 'X-Request-Id': '<script>' });
    expect(odd.body.request_id).not.toContain('<');
  });
});

describe('pages', () => {
  it('show each item once, in order, and link to the next', async () => {
    const paged = await api.createWorkspace(admin);
    const names = Array.from({ length: 20 }, (_, i) => `g${i}`);
    for (const name of names) await admin.call('POST', `${paged.path}/groups`, { name });
    const seen: string[] = [];
    let next: string | undefined = `${paged.path}/groups?limit=7`;
    let pages = 0;
    while (next) {
      const page = await admin.call('GET', next);
      seen.push(...page.body.items.map((group: { name: string }) => group.name));
      next = /^<(.+)>; rel="next"$/.exec(page.headers.get('Link') ?? '')?.[1];
      expect(page.body.next_cursor === null).toBe(next === undefined);
      pages += 1;
    }
    expect(pages).toBe(4);
    expect(seen.slice(3)).toEqual(names);
  });

  it('refuse a cursor that is forged, of another list, or of other filters', async () => {
    const first = await admin.call('GET', `${groups()}?limit=1`);
    const cursor: string = first.body.next_cursor;
    expect((await admin.call('GET', `${groups()}?limit=2&cursor=${cursor}`)).status).toBe(200);
    const other = await api.createWorkspace(admin);
    const forged = [
      `${other.path}/groups?cursor=${cursor}`,
      `${workspace.path}/members?cursor=${cursor}`,
      `${groups()}?cursor=${cursor.replace(/.$/, cursor.endsWith('A') ? 'Q' : 'A')}`,
      `${groups()}?cursor=${Buffer.from("' OR 1=1 --").toString('base64url')}`,
      `${groups()}?cursor=x`,
    ];
    for (const path of forged) {
      expect(await admin.call('GET', path), path).toMatchObject({
        status: 400,
        body: { type: 'https://kaas.hexabase.io/problems/invalid-cursor' },
      });
    }
    const group = workspace.groups['WSAdmins'];
    for (const name of ['WSAdmins', 'WSUsers']) {
      await admin.call('POST', `${workspace.path}/role-assignments`, {
        group: workspace.groups[name],
        preset_role: 'workspace-viewer',
      });
    }
    const list = `${workspace.path}/role-assignments`;
    const filtered = await admin.call('GET', `${list}?limit=1&group=${group}`);
    expect(filtered.headers.get('Link')).toContain(`group=${group}`);
    const carried = `${list}?limit=1&cursor=${filtered.body.next_cursor}`;
    expect((await admin.call('GET', carried)).status).toBe(400);
    expect((await admin.call('GET', `${carried}&group=${group}`)).body.items).toHaveLength(1);
  });
});

describe('health', () => {
  it('is told without a token', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await fetch(new URL(path, api.url))).status).toBe(200);
    }
    const metrics = await (await fetch(new URL('/metrics', api.url))).text();
    expect(metrics).toContain('route="/v1/workspaces/{workspace}/groups"');
  });
});

describe('GET /v1/openapi.json', () => {
  it('is the document of the routes, for everyone', async () => {
    const answer = await api.call(null, 'GET', '/v1/openapi.json');
    expect(answer).toMatchObject({
      status: 200,
      body: withIssuer(OPENAPI_DOCUMENT, api.issuer.url),
    });
    const { openIdConnectUrl } = answer.body.components.securitySchemes.signIn;
    expect(openIdConnectUrl).toBe(`${api.issuer.url}/.well-known/openid-configuration`);
  });
});
