/** HTTP itself: methods, content codings, origins and the end of a connection. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  CONSOLE_ORIGIN,
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
  for (let i = 0; i < 20; i += 1) {
    await admin.call('POST', `${workspace.path}/groups`, { name: `group-${i}` });
  }
});
afterAll(() => api[Symbol.asyncDispose]());

/** A request as it goes over the wire: fetch would decode, and add headers of its own. */
const raw = async (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }> => {
  const request = httpRequest(`${api.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${admin.token}`, ...headers },
  });
  request.end();
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
};

describe('HEAD', () => {
  it('answers as GET does, without the body', async () => {
    for (const path of ['/v1/me', workspace.path, `${workspace.path}/groups?limit=1`]) {
      const got = await raw('GET', path);
      const head = await raw('HEAD', path);
      expect(head.status).toBe(200);
      expect(head.body.length).toBe(0);
      for (const name of ['content-type', 'content-length', 'etag', 'link', 'cache-control']) {
        expect(head.headers[name], `${name} of ${path}`).toEqual(got.headers[name]);
      }
    }
  });

  it('refuses as GET does', async () => {
    const head = await raw('HEAD', `${workspace.path}/groups/grp_00000000000000000000000000`);
    expect([head.status, head.body.length]).toEqual([404, 0]);
  });
});

describe('OPTIONS', () => {
  it('says what is allowed, and needs no token', async () => {
    const answer = await raw('OPTIONS', `${workspace.path}/groups`, { Authorization: '' });
    expect(answer.status).toBe(204);
    expect(answer.headers['allow']).toBe('GET, HEAD, OPTIONS, POST');
    expect(answer.body.length).toBe(0);
  });

  it('knows no more routes than there are', async () => {
    const answer = await api.call(null, 'OPTIONS', '/v1/nothing');
    expect(answer.status).toBe(404);
    expect(answer.body.detail).toContain('/v1/openapi.json');
  });
});

describe('the CORS protocol', () => {
  const preflight = (origin: string) =>
    raw('OPTIONS', '/v1/me', {
      Authorization: '',
      Origin: origin,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'authorization,if-match',
    });

  it('lets the console call, with what it has to send and read', async () => {
    const { status, headers } = await preflight(CONSOLE_ORIGIN);
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(CONSOLE_ORIGIN);
    expect(headers['access-control-allow-methods']).toContain('PATCH');
    expect(headers['access-control-allow-headers']).toMatch(/Authorization.*If-Match/);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    const got = await raw('GET', workspace.path, { Origin: CONSOLE_ORIGIN });
    expect(got.headers['access-control-allow-origin']).toBe(CONSOLE_ORIGIN);
    expect(got.headers['access-control-expose-headers']).toMatch(/ETag.*Link.*Retry-After/);
    expect(got.headers['vary']).toContain('Origin');
    const refused = await raw('GET', '/v1/workspaces/x', { Origin: CONSOLE_ORIGIN });
    expect(refused.status).toBe(404);
    expect(refused.headers['access-control-allow-origin']).toBe(CONSOLE_ORIGIN);
  });

  it.each([
    'https://evil.example',
    `${CONSOLE_ORIGIN}.evil.example`,
    'http://console.example.test',
    'null',
  ])('does not let %s', async (origin) => {
    expect((await preflight(origin)).headers['access-control-allow-origin']).toBeUndefined();
    const got = await raw('GET', '/v1/me', { Origin: origin });
    expect(got.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('every answer', () => {
  it.each([
    ['what was asked for', '/v1/me', 200],
    ['a refusal', '/v1/workspaces/ws_unknown', 404],
    ['what is no route', '/nowhere', 404],
  ])('%s, is for its caller alone and no page', async (_, path, status) => {
    const answer = await raw('GET', path);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
  });
});

describe('content coding', () => {
  const list = () => `${workspace.path}/groups`;

  it('compresses a long answer as the caller accepts it', async () => {
    const plain = await raw('GET', list());
    expect(plain.headers['content-encoding']).toBeUndefined();
    for (const [coding, decode] of [
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
    ] as const) {
      const answer = await raw('GET', list(), { 'Accept-Encoding': coding });
      expect(answer.headers['content-encoding']).toBe(coding);
      expect(answer.headers['vary']).toContain('Accept-Encoding');
      expect(answer.body.length).toBeLessThan(plain.body.length / 2);
      expect(decode(answer.body).equals(plain.body)).toBe(true);
    }
  });

  it('leaves an answer with an ETag as it is: the tag belongs to these bytes', async () => {
    const { headers } = await raw('GET', workspace.path, { 'Accept-Encoding': 'gzip' });
    expect(headers['etag']).toMatch(/^"\d+"$/);
    expect(headers['content-encoding']).toBeUndefined();
  });
});

describe('a body that is not JSON', () => {
  it.each([
    ['{"name": "a",\n "parent" }', 'line 2, column 11'],
    ['{"name": ', 'JSON in UTF-8.'],
  ])('%j is refused, with the place', async (body, place) => {
    const answer = await admin.call('POST', `${workspace.path}/groups`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(place);
  });
});

describe('at the end', () => {
  it('answers what runs, then takes no more', async () => {
    const own = await startTestApi();
    const caller = await own.signUp('last');
    const { body } = await caller.call(
      'POST',
      `/v1/organizations/${caller.organization}/workspaces`,
      { name: 'Last', plan: 'starter' },
    );
    const waiting = caller.call('GET', `/v1/tasks/${body.task.id}`, undefined, {
      Prefer: 'wait=30',
    });
    // Until the server has it: it can't be answered before the wait is over.
    await new Promise((resolve) => setTimeout(resolve, 300));
    own.readiness.ready = false;
    const ended = own[Symbol.asyncDispose]();
    expect((await waiting).status).toBe(200);
    await ended;
    await expect(fetch(`${own.url}/v1/me`)).rejects.toThrow();
  });
});
