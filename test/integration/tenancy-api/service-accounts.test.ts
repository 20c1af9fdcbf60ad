import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId, parseId } from '#domain/identifiers.ts';
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
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
});

const send = (method: string, path: string, body?: unknown, headers = {}) =>
  admin.call(method, `${workspace.path}${path}`, body, headers);

const create = async (name: string): Promise<string> =>
  (await send('POST', '/service-accounts', { name })).body.id;

describe('a service account', () => {
  it('is made, read, listed, renamed and deleted', async () => {
    const body = { name: 'deploy-bot', display_name: 'Deploys' };
    const created = await send('POST', '/service-accounts', body);
    expect(created).toMatchObject({ status: 201, body: { ...body, created_by: admin.person } });
    expect(created.body.id).toMatch(/^sa_/);
    const path = `/service-accounts/${created.body.id}`;
    expect(created.headers.get('Location')).toBe(`${workspace.path}${path}`);
    const read = await send('GET', path);
    expect(read.body).toEqual({ ...created.body, direct_groups: [], effective_groups: [] });
    await create('other');
    const listed = await send('GET', '/service-accounts?name=deploy-bot');
    expect(listed.body.items).toEqual([created.body]);
    const tag = { 'If-Match': read.headers.get('ETag') };
    const renamed = await send('PATCH', path, { display_name: 'Ships' }, tag);
    expect(renamed).toMatchObject({ status: 200, body: { display_name: 'Ships' } });
    expect((await send('PATCH', path, { display_name: 'x' }, tag)).status).toBe(412);
    expect((await send('PATCH', path, { display_name: 'x' })).status).toBe(428);
    expect((await send('PATCH', path, { name: 'x' }, { 'If-Match': '*' })).status).toBe(400);
    expect((await send('DELETE', path)).body.old_tokens_until).toBeDefined();
    expect((await send('GET', path)).status).toBe(404);
    const actions = await api.database.query<{ action: string }>(
      `SELECT action FROM audit_event WHERE target_id = $1 ORDER BY id`,
      [parseId('serviceAccount', created.body.id)],
    );
    expect(actions.map((row) => row.action)).toEqual([
      'service-account.create',
      'service-account.update',
      'service-account.delete',
    ]);
  });

  it.each(['', 'Bot', '-a', 'a-', 'a.b', 'a b', 'x'.repeat(64)])(
    'can’t be called %j',
    async (name) => {
      const answer = await send('POST', '/service-accounts', { name });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/name' }] } });
    },
  );

  it('has a name of its own in its workspace', async () => {
    await create('bot');
    const again = await send('POST', '/service-accounts', { name: 'bot' });
    expect(again).toMatchObject({ status: 409, body: { errors: [{ pointer: '#/name' }] } });
    workspace = await api.createWorkspace(admin);
    expect((await send('POST', '/service-accounts', { name: 'bot' })).status).toBe(201);
  });
});

describe('in groups, a service account', () => {
  it('has what people have: direct and effective groups, for good or until a moment', async () => {
    const bot = await create('bot');
    const top = (await send('POST', '/groups', { name: 'top' })).body.id;
    const leaf = (await send('POST', '/groups', { name: 'leaf', parent: top })).body.id;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const path = `/groups/${leaf}/service-accounts/${bot}`;
    const added = await send('PUT', path, { expires_at: until });
    expect(added).toMatchObject({
      status: 200,
      body: {
        member: { id: bot, name: 'bot', expires_at: until },
        new_tokens_from: expect.any(String),
      },
    });
    expect((await send('GET', `/service-accounts/${bot}`)).body).toMatchObject({
      direct_groups: [{ name: 'leaf', expires_at: until }],
      effective_groups: [{ name: 'WorkspaceMembers' }, { name: 'leaf' }, { name: 'top' }],
    });
    const list = async (query = '') =>
      (await send('GET', `/groups/${top}/service-accounts${query}`)).body.items;
    expect(await list()).toEqual([]);
    expect(await list('?effective=true')).toMatchObject([{ id: bot, through: [{ name: 'leaf' }] }]);
    const members = await send('GET', `/groups/${leaf}/members`);
    expect(members.body.items).toEqual([]);
    await api.database.query(
      `UPDATE group_service_account SET expires_at = now() WHERE workspace_id = $1`,
      [workspace.uuid],
    );
    expect((await send('GET', `/service-accounts/${bot}`)).body.effective_groups).toEqual([]);
    expect((await send('DELETE', path)).status).toBe(404);
    await send('PUT', path, { expires_at: null });
    expect((await send('DELETE', path)).status).toBe(200);
  });

  it('leaves them all when it is deleted', async () => {
    const bot = await create('bot');
    await send('PUT', `/groups/${workspace.groups['WSUsers']}/service-accounts/${bot}`);
    await send('DELETE', `/service-accounts/${bot}`);
    const left = await api.database.query(
      'SELECT FROM group_service_account WHERE workspace_id = $1',
      [workspace.uuid],
    );
    expect(left).toEqual([]);
  });

  it('must be of this workspace, as the group must', async () => {
    const bot = await create('bot');
    const other = await api.createWorkspace(admin);
    const foreign = await admin.call('POST', `${other.path}/service-accounts`, { name: 'bot' });
    const pairs = [
      [workspace.groups['WSUsers'], foreign.body.id],
      [workspace.groups['WSUsers'], formatId('serviceAccount', createId())],
      [other.groups['WSUsers'], bot],
      [workspace.groups['WSUsers'], admin.person],
    ];
    for (const [group, account] of pairs) {
      const path = `/groups/${group}/service-accounts/${account}`;
      expect((await send('PUT', path)).status).toBe(404);
      expect((await send('DELETE', path)).status).toBe(404);
    }
    expect((await send('GET', `/service-accounts/${foreign.body.id}`)).status).toBe(404);
  });
});
