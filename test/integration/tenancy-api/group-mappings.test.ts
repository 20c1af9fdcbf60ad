import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { joinUpstreamGroups } from '../../support/furnished-workspace.ts';
import {
  type Caller,
  PLATFORM_ADMIN,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let ann: Caller;
let workspace: TestWorkspace;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.database.query('DELETE FROM upstream_account');
  admin = await api.signUp('admin');
  ann = await api.signUp('ann');
  workspace = await api.createWorkspace(admin);
  await joins(admin, 'acme', 'acme/platform');
  await joins(ann, 'acme', 'acme/platform');
});

const joins = (caller: Caller, ...groups: string[]) =>
  joinUpstreamGroups(api.database.query, caller.id, groups);

const group = (name = 'WSUsers') => `${workspace.path}/groups/${workspace.groups[name]}`;

const map = (upstream_group: string, { to = 'WSUsers', by = admin, connector = 'github' } = {}) =>
  by.call('POST', `${group(to)}/group-mappings`, { connector, upstream_group });

const eventsOf = (action: string) =>
  api.database.query(
    'SELECT actor_id, before, after FROM audit_event WHERE workspace_id = $1 AND action = $2',
    [workspace.uuid, action],
  );

describe('a mapping', () => {
  it('makes members of those who have signed in before, and opens the workspace to them', async () => {
    expect((await ann.call('GET', workspace.path)).status).toBe(404);
    const { status, body } = await map('acme/platform');
    expect(status).toBe(201);
    expect(body.group_mapping).toMatchObject({
      connector: 'github',
      upstream_group: 'acme/platform',
      members: 2,
      created_by: admin.person,
    });
    expect((await ann.call('GET', workspace.path)).status).toBe(200);
    const { body: detail } = await ann.call('GET', `${workspace.path}/members/${ann.person}`);
    expect(detail.direct_groups).toEqual([
      expect.objectContaining({ name: 'WSUsers', mapping: body.group_mapping.id }),
    ]);
    const members = await admin.call('GET', `${group()}/members`);
    const found = members.body.items.find(({ id }: { id: string }) => id === ann.person);
    expect(found.through).toEqual([
      expect.objectContaining({
        name: 'WSUsers',
        expires_at: null,
        mapping: body.group_mapping.id,
      }),
    ]);
    expect(await eventsOf('group-mapping.create')).toMatchObject([
      { actor_id: admin.id, after: { upstream_group: 'acme/platform', members: 2 } },
    ]);
  });

  it('is listed page by page', async () => {
    await map('acme');
    await map('acme/platform');
    const list = `${group()}/group-mappings`;
    const first = (await admin.call('GET', `${list}?limit=1`)).body;
    const second = (await admin.call('GET', `${list}?limit=1&cursor=${first.next_cursor}`)).body;
    const names = [...first.items, ...second.items].map((each) => each.upstream_group);
    expect(names).toEqual(['acme', 'acme/platform']);
    expect(second.next_cursor).toBeNull();
  });

  it('takes its memberships with it, and the workspace from whom nothing else holds there', async () => {
    const { body } = await map('acme/platform');
    const path = `${group()}/group-mappings/${body.group_mapping.id}`;
    expect((await admin.call('DELETE', path)).status).toBe(200);
    expect((await ann.call('GET', workspace.path)).status).toBe(404);
    expect((await admin.call('GET', workspace.path)).status).toBe(200);
    expect((await admin.call('DELETE', path)).status).toBe(404);
    expect(await eventsOf('group-mapping.delete')).toMatchObject([{ before: { members: 2 } }]);
  });

  it('can be deleted by an admin whom it alone makes one', async () => {
    await map('acme/platform', { to: 'WSAdmins' });
    const list = `${group('WSAdmins')}/group-mappings`;
    const { body } = await ann.call('GET', list);
    expect((await ann.call('DELETE', `${list}/${body.items[0].id}`)).status).toBe(200);
    expect((await ann.call('GET', workspace.path)).status).toBe(404);
  });

  it('is made once', async () => {
    await map('acme');
    expect(await map('acme')).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('already-exists') },
    });
  });

  it('goes with its group', async () => {
    const made = await admin.call('POST', `${workspace.path}/groups`, { name: 'brief' });
    const path = `${workspace.path}/groups/${made.body.id}`;
    const mapping = { connector: 'github', upstream_group: 'acme' };
    expect((await admin.call('POST', `${path}/group-mappings`, mapping)).status).toBe(201);
    expect((await ann.call('GET', workspace.path)).status).toBe(200);
    const { headers } = await admin.call('GET', path);
    const ifMatch = { 'If-Match': headers.get('ETag') ?? '*' };
    expect((await admin.call('DELETE', path, undefined, ifMatch)).status).toBeLessThan(300);
    expect((await ann.call('GET', workspace.path)).status).toBe(404);
  });
});

describe('who may map what', () => {
  it('is only what one is in oneself: nobody learns from a mapping who is in a group elsewhere', async () => {
    await joins(ann, 'rival/secret');
    for (const name of ['rival/secret', 'rival/unknown', 'acme/Platform']) {
      expect(await map(name)).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining('groups that you are in yourself') },
      });
    }
    expect((await ann.call('GET', workspace.path)).status).toBe(404);
    expect(await eventsOf('group-mapping.create')).toEqual([]);
  });

  it('is anything for platform administrators', async () => {
    await api.database.query(
      `INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)
       ON CONFLICT (connector, subject) DO UPDATE SET person_id = excluded.person_id`,
      [PLATFORM_ADMIN.connector, PLATFORM_ADMIN.subject, admin.id],
    );
    expect((await map('acme/anything')).status).toBe(201);
    const path = `${group('WSUsers')}/group-mappings`;
    const other = { connector: 'github', upstream_group: 'acme/other' };
    const once = { 'Idempotency-Key': 'acme-other' };
    expect((await admin.call('POST', path, other, once)).status).toBe(201);
  });

  it.each([
    ['a connector that isn’t there', 'nowhere', 422, /no connector "nowhere"/],
    ['a connector that tells no groups', 'google', 422, /tells no groups/],
  ])('is nothing of %s', async (_name, connector, status, detail) => {
    const answer = await map('acme', { connector });
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toMatch(detail);
    expect(answer.body.errors).toMatchObject([{ pointer: '#/connector' }]);
  });

  it('isn’t what makes admins for longer than oneself', async () => {
    const helper = await api.signUp('helper');
    await joins(helper, 'acme');
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await map('acme');
    const members = `${group('WSAdmins')}/members/${helper.person}`;
    expect((await admin.call('PUT', members, { expires_at: until })).status).toBe(200);
    expect(await map('acme', { to: 'WSAdmins', by: helper })).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('for longer') },
    });
    expect((await helper.call('GET', workspace.path)).status).toBe(200);
  });
});

describe('a mapped membership', () => {
  beforeEach(async () => {
    await map('acme/platform');
  });

  it.each([
    ['taken out of the group', () => `${group()}/members/${ann.person}`],
    ['taken out of the workspace', () => `${workspace.path}/members/${ann.person}`],
  ])('can’t be %s: the answer says what can', async (_name, path) => {
    expect(await admin.call('DELETE', path())).toMatchObject({
      status: 409,
      body: {
        type: expect.stringContaining('mapped-membership'),
        detail: expect.stringContaining('delete the mapping'),
      },
    });
    expect((await ann.call('GET', workspace.path)).status).toBe(200);
  });

  it('can’t be left', async () => {
    const answer = await ann.call('DELETE', `${workspace.path}/membership`);
    expect(answer).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('WSUsers') },
    });
  });

  it('stands beside one that somebody gives, and outlives it', async () => {
    const path = `${group()}/members/${ann.person}`;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await admin.call('PUT', path, { expires_at: until });
    expect(body.member.through.map((each: { mapping: unknown }) => each.mapping === null)).toEqual([
      true,
      false,
    ]);
    expect(body.member.expires_at).toBeNull();
    expect((await admin.call('DELETE', path)).status).toBe(200);
    expect((await admin.call('DELETE', path)).status).toBe(409);
    expect((await ann.call('GET', workspace.path)).status).toBe(200);
  });

  it('leaves behind what somebody gave', async () => {
    await admin.call('PUT', `${group()}/members/${ann.person}`);
    const { body } = await admin.call('GET', `${group()}/group-mappings`);
    await admin.call('DELETE', `${group()}/group-mappings/${body.items[0].id}`);
    const { body: detail } = await ann.call('GET', `${workspace.path}/members/${ann.person}`);
    expect(detail.direct_groups).toMatchObject([{ name: 'WSUsers', mapping: null }]);
  });

  it('is no last admin', async () => {
    await map('acme', { to: 'WSAdmins' });
    const path = `${group('WSAdmins')}/members/${admin.person}`;
    expect(await admin.call('DELETE', path)).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('last-admin') },
    });
  });

  it('is in no export: the mapping brings it again', async () => {
    await admin.call('POST', `${workspace.path}/groups`, { name: 'team' });
    const { body } = await admin.call('GET', `${workspace.path}/export?connector=github`);
    expect(body.members).not.toContain(ann.id);
    expect(body.members).toContain(admin.id);
  });
});
