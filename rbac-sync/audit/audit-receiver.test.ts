import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { type ListeningServer, listen } from '#runtime/http-server.ts';
import { createLogger } from '#runtime/log.ts';
import { toAuditPath } from './audit-configuration.ts';
import type { ClusterWrite } from './audit-events.ts';
import { createAuditReceiver } from './audit-receiver.ts';
import { toAuditToken } from './audit-token.ts';

const KEY = randomBytes(32);
const [MINE, OTHER] = [createId(), createId()];
const EVENT = {
  auditID: '7bb0c1cf-6a11-4f4c-9a47-b1b1f7b7ac01',
  stage: 'ResponseComplete',
  verb: 'delete',
  user: { username: 'someone' },
  objectRef: { resource: 'roles', namespace: 'shop', name: 'x' },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: '2026-01-02T03:04:05Z',
};
const listOf = (...items: object[]) => ({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'EventList',
  items,
});

let server: ListeningServer;
let kept: { workspaceId: string; writes: readonly ClusterWrite[] }[];
let fails: boolean;
beforeEach(async () => {
  kept = [];
  fails = false;
  const onWrites = async (workspaceId: string, writes: readonly ClusterWrite[]) => {
    if (fails) throw new Error('the database is away');
    kept.push({ workspaceId, writes });
  };
  const receiver = createAuditReceiver({
    keys: [randomBytes(32), KEY],
    onWrites,
    log: createLogger('test', 'silent'),
  });
  server = await listen(receiver, { host: '127.0.0.1', port: 0 });
});
afterEach(() => server[Symbol.asyncDispose]());

type Post = { path?: string; token?: string; method?: string; body?: string };
const post = async ({ path, token, method = 'POST', body }: Post = {}): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${server.port}${path ?? toAuditPath(MINE)}`, {
    method,
    headers: { authorization: `Bearer ${token ?? toAuditToken(KEY, MINE)}` },
    ...(method === 'POST' && { body: body ?? JSON.stringify(listOf(EVENT)) }),
  });
  await response.arrayBuffer();
  return response.status;
};

describe('createAuditReceiver', () => {
  it('keeps the writes of the workspace whose token it is, whatever parameters the address has', async () => {
    expect(await post({ path: `${toAuditPath(MINE)}?timeout=30s` })).toBe(200);
    expect(kept).toMatchObject([{ workspaceId: MINE, writes: [{ name: EVENT.objectRef.name }] }]);
  });

  it.each<[string, Post]>([
    ['no token', { token: '' }],
    ['a token of another key', { token: toAuditToken(randomBytes(32), MINE) }],
    ['the token of another workspace', { token: toAuditToken(KEY, OTHER) }],
    ['our token for another workspace', { path: toAuditPath(OTHER) }],
    ['no workspace', { path: '/v1/audit/' }],
    ['a UUID instead of an identifier', { path: `/v1/audit/${MINE}` }],
    ['another path', { path: '/metrics' }],
  ])('refuses %s', async (_name, forged) => {
    expect(await post(forged)).toBe(401);
    expect(kept).toEqual([]);
  });

  it('refuses what is no list of events, and what is too much', async () => {
    expect(await post({ body: '{}' })).toBe(400);
    expect(await post({ body: 'not JSON' })).toBe(400);
    expect(await post({ method: 'GET' })).toBe(405);
    const huge = await post({ body: ' '.repeat(9 * 1024 * 1024) }).catch(() => 413);
    expect(huge).toBe(413);
    expect(kept).toEqual([]);
  });

  it('has the batch sent again when it can’t be kept', async () => {
    fails = true;
    expect(await post()).toBe(503);
  });
});
