import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
let groups: string;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  workspace = await api.createWorkspace(admin);
  groups = `${workspace.path}/groups`;
});
afterAll(() => api[Symbol.asyncDispose]());

const post = (key: string, body: unknown, path = groups, caller = admin) =>
  caller.call('POST', path, body, { 'Idempotency-Key': key });

const countGroups = async (name: string): Promise<number> =>
  (
    await api.database.query('SELECT FROM workspace_group WHERE workspace_id = $1 AND name = $2', [
      workspace.uuid,
      name,
    ])
  ).length;

const withoutRequestId = ({ request_id: _, ...body }: Record<string, unknown>) => body;

it('answers a repetition with the first answer, and does the thing once', async () => {
  const first = await post('"a-1"', { name: 'once' });
  expect(first.status).toBe(201);
  expect(first.headers.get('Idempotent-Replayed')).toBeNull();
  for (const key of ['"a-1"', 'a-1']) {
    const again = await post(key, { name: 'once' });
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  }
  expect(await countGroups('once')).toBe(1);
});

it('repeats a refusal too, though the reason for it has gone', async () => {
  const parent = 'grp_00000000000000000000000000';
  const refused = await post('b', { name: 'below', parent });
  expect(refused.status).toBe(422);
  const again = await post('b', { name: 'below', parent });
  expect(again.status).toBe(422);
  expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  expect(withoutRequestId(again.body)).toEqual(withoutRequestId(refused.body));
  expect(again.body.request_id).not.toBe(refused.body.request_id);
  expect(await countGroups('below')).toBe(0);
});

it('repeats a refusal with all that it said', async () => {
  const imports = `${workspace.path}/imports`;
  const body = { connector: 'local', groups: [{ name: 'sig release', parent: null, members: [] }] };
  const refused = await post('b-2', body, imports);
  expect(refused.body.errors[0].suggestion).toBe('sig-release');
  const again = await post('b-2', body, imports);
  expect(withoutRequestId(again.body)).toEqual(withoutRequestId(refused.body));
  expect(again.status).toBe(422);
});

it('keeps nothing of a request that was not valid: mended, it is carried out', async () => {
  expect((await post('c', { name: 'no good!' })).status).toBe(400);
  expect((await post('c', { name: 'good' })).status).toBe(201);
});

it('refuses the key with another body, and takes it anew elsewhere and from somebody else', async () => {
  expect((await post('d', { name: 'd-1' })).status).toBe(201);
  const other = await post('d', { name: 'd-2' });
  expect(other.status).toBe(422);
  expect(other.body.type).toMatch(/idempotency-key-reused$/);
  expect(await countGroups('d-2')).toBe(0);
  const elsewhere = await post('d', { name: 'd-3' }, `${workspace.path}/projects`);
  expect(elsewhere.status).toBe(202);
  const stranger = await api.signUp('stranger');
  const theirs = await api.createWorkspace(stranger);
  expect((await post('d', { name: 'd-1' }, `${theirs.path}/groups`, stranger)).status).toBe(201);
});

it('shows a stored answer to nobody who may no longer ask', async () => {
  const other = await api.signUp('leaving');
  await api.addMember(workspace, other);
  const membership = `${groups}/${workspace.groups['WSAdmins']}/members/${other.person}`;
  expect((await admin.call('PUT', membership)).status).toBe(200);
  expect((await post('e', { name: 'theirs' }, groups, other)).status).toBe(201);
  await admin.call('DELETE', membership);
  expect((await post('e', { name: 'theirs' }, groups, other)).status).toBe(403);
});

it('lets one of many at once do it; the others hear that it runs or get its answer', async () => {
  const blocker = new pg.Client({ connectionString: api.database.urlFor('hexabase_rbac_sync') });
  await blocker.connect();
  // The first request waits at the workspace's lock, so that the second certainly meets it.
  await blocker.query('BEGIN');
  await blocker.query('SELECT FROM workspace WHERE id = $1 FOR UPDATE', [workspace.uuid]);
  const requests = Array.from({ length: 8 }, () => post('f', { name: 'many' }));
  const early = await Promise.race(requests);
  expect(early.status).toBe(409);
  expect(early.body.type).toMatch(/idempotency-key-in-use$/);
  expect(early.headers.get('Retry-After')).toBe('1');
  await blocker.query('COMMIT');
  await blocker.end();
  const statuses = (await Promise.all(requests)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(1);
  expect(new Set(statuses)).toEqual(new Set([201, 409]));
  expect((await post('f', { name: 'many' })).status).toBe(201);
  expect(await countGroups('many')).toBe(1);
});

it('forgets after 24 hours', async () => {
  expect((await post('g', { name: 'g' })).status).toBe(201);
  await api.database.query(
    `UPDATE idempotency_key SET created_at = now() - interval '24 hours 1 second' WHERE key = 'g'`,
  );
  const anew = await post('g', { name: 'g' });
  expect(anew.status).toBe(409);
  expect(anew.body.type).toMatch(/already-exists$/);
});

it.each(['', '""', '"unclosed', 'two words', 'é', `"${'x'.repeat(256)}"`])(
  'says what is wrong with the key %s',
  async (key) => {
    const answer = await post(key, { name: 'never' });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('Idempotency-Key');
  },
);
