/** Memberships in groups: direct and effective, for good and until a moment. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
let team: string;
let person: string;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  team = (await send('POST', '/groups', { name: 'team' })).body.id;
  const identity = { connector: 'local', subject: `ann-${workspace.id}` };
  const users = workspace.groups['WSUsers'];
  person = (await send('POST', `/groups/${users}/members`, identity)).body.member.id;
});

const send = (method: string, path: string, body?: unknown) =>
  admin.call(method, `${workspace.path}${path}`, body);

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

const expire = (group: string) =>
  api.database.query(
    `UPDATE group_member m SET expires_at = now() - interval '1 second'
     FROM workspace_group g
     WHERE g.id = m.group_id AND g.workspace_id = $1 AND g.name = $2`,
    [workspace.uuid, group],
  );

const groupsOf = async () => {
  const { body } = await send('GET', `/members/${person}`);
  const names = (list: { name: string }[]) => list.map((group) => group.name);
  return { direct: names(body.direct_groups), effective: names(body.effective_groups) };
};

describe('a membership', () => {
  it('holds for good, or until a moment that can be moved and taken away', async () => {
    const path = `/groups/${team}/members/${person}`;
    expect((await send('PUT', path)).body.member.expires_at).toBeNull();
    const until = inAnHour();
    const ending = await send('PUT', path, { expires_at: until });
    expect(ending).toMatchObject({ status: 200, body: { member: { expires_at: until } } });
    expect(Date.parse(ending.body.old_tokens_until)).toBeGreaterThan(Date.now());
    expect((await send('PUT', path)).body.member.expires_at).toBe(until);
    expect((await send('PUT', path, {})).body.member.expires_at).toBe(until);
    const direct = (await send('GET', `/members/${person}`)).body.direct_groups;
    expect(direct).toMatchObject([{ name: 'WSUsers', expires_at: null }, { expires_at: until }]);
    const forGood = await send('PUT', path, { expires_at: null });
    expect(forGood.body.member.expires_at).toBeNull();
    const actions = await api.database.query(
      `SELECT action FROM audit_event WHERE workspace_id = $1 AND action LIKE 'group-member.%'
       ORDER BY id OFFSET 1`,
      [workspace.uuid],
    );
    const [add, update] = [{ action: 'group-member.add' }, { action: 'group-member.update' }];
    expect(actions).toEqual([add, update, update]);
  });

  it('can end by itself from its beginning, by identity too', async () => {
    const until = inAnHour();
    const identity = { connector: 'local', subject: `bob-${workspace.id}`, expires_at: until };
    const answer = await send('POST', `/groups/${team}/members`, identity);
    expect(answer.body.member).toMatchObject({ expires_at: until, through: [{ id: team }] });
  });

  it.each([
    { expires_at: '2001-01-01T00:00:00Z' },
    { expires_at: 'tomorrow' },
    { expires_at: 7 },
    { until: '2040-01-01T00:00:00Z' },
    null,
    [],
  ])('doesn’t take %j', async (body) => {
    const answer = await send('PUT', `/groups/${team}/members/${person}`, body);
    expect(answer.status).toBe(400);
    expect((await groupsOf()).direct).toEqual(['WSUsers']);
  });

  it('that has expired counts nowhere, and begins anew when given again', async () => {
    const path = `/groups/${team}/members/${person}`;
    await send('PUT', path, { expires_at: inAnHour() });
    await expire('team');
    expect(await groupsOf()).toEqual({
      direct: ['WSUsers'],
      effective: ['WSUsers', 'WorkspaceMembers'],
    });
    for (const query of ['', '?effective=true']) {
      expect((await send('GET', `/groups/${team}/members${query}`)).body.items).toEqual([]);
    }
    expect((await send('DELETE', path)).status).toBe(404);
    const again = await send('PUT', path);
    expect(again.body.member.expires_at).toBeNull();
    expect(Date.parse(again.body.member.created_at)).toBeGreaterThan(Date.now() - 60_000);
    expect((await groupsOf()).direct).toEqual(['WSUsers', 'team']);
  });

  it('that has expired comes back for good by an import', async () => {
    await send('PUT', `/groups/${team}/members/${person}`, { expires_at: inAnHour() });
    const body = {
      connector: 'local',
      groups: [{ name: 'team', parent: null, members: [`ann-${workspace.id}`] }],
    };
    expect((await send('POST', '/imports', body)).body.memberships_added).toBe(0);
    await expire('team');
    expect((await send('POST', '/imports', body)).body).toMatchObject({
      memberships_added: 1,
      diff: { memberships_added: [{ group: 'team', subject: `ann-${workspace.id}` }] },
    });
    expect((await groupsOf()).direct).toContain('team');
  });
});

describe('the members of a group', () => {
  it('are listed with those of the groups below, and through which they are in it', async () => {
    const sub = (await send('POST', '/groups', { name: 'sub', parent: team })).body.id;
    const deep = (await send('POST', '/groups', { name: 'deep', parent: sub })).body.id;
    const until = inAnHour();
    await send('PUT', `/groups/${deep}/members/${person}`, { expires_at: until });
    const list = async (query: string) =>
      (await send('GET', `/groups/${team}/members${query}`)).body.items;
    expect(await list('')).toEqual([]);
    expect(await list('?effective=false')).toEqual([]);
    expect(await list('?effective=true')).toMatchObject([
      { id: person, expires_at: until, through: [{ id: deep, name: 'deep', expires_at: until }] },
    ]);
    await send('PUT', `/groups/${sub}/members/${person}`);
    expect(await list('?effective=true')).toMatchObject([
      { id: person, expires_at: null, through: [{ name: 'deep' }, { name: 'sub' }] },
    ]);
    expect(await list('?effective=true&limit=1')).toHaveLength(1);
    expect((await send('GET', `/groups/${team}/members?effective=maybe`)).status).toBe(400);
  });

  it('come page by page, each once, with a next page of the same kind', async () => {
    const groups = Array.from({ length: 4 }, (_, i) => ({
      name: `part-${i}`,
      parent: 'team',
      members: Array.from({ length: 9 }, (__, j) => `${workspace.id}-${i + j}`),
    }));
    await send('POST', '/imports', { connector: 'local', groups });
    const seen: string[] = [];
    let next: string | undefined =
      `${workspace.path}/groups/${team}/members?effective=true&limit=5`;
    while (next) {
      const page = await admin.call('GET', next);
      seen.push(...page.body.items.map((item: { id: string }) => item.id));
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('Link') ?? '')?.[1];
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toHaveLength(12);
  });
});

describe('the last admin who is one for good', () => {
  it('can’t be made one until a moment; another who stays can', async () => {
    const admins = `/groups/${workspace.groups['WSAdmins']}/members`;
    const until = { expires_at: inAnHour() };
    const refused = await send('PUT', `${admins}/${admin.person}`, until);
    expect(refused).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('last-admin') },
    });
    const [own] = (await send('GET', admins)).body.items;
    expect(own.expires_at).toBeNull();
    const other = await api.signUp('other');
    await api.addMember(workspace, other);
    expect((await send('PUT', `${admins}/${other.person}`, until)).status).toBe(200);
    expect((await send('PUT', `${admins}/${admin.person}`, until)).status).toBe(409);
    expect((await send('DELETE', `${admins}/${admin.person}`)).status).toBe(409);
    await send('PUT', `${admins}/${other.person}`, { expires_at: null });
    expect((await send('PUT', `${admins}/${admin.person}`, until)).status).toBe(200);
  });

  it('isn’t replaced by a service account', async () => {
    const robot = (await send('POST', '/service-accounts', { name: 'robot' })).body.id;
    const group = `/groups/${workspace.groups['WSAdmins']}`;
    expect((await send('PUT', `${group}/service-accounts/${robot}`)).status).toBe(200);
    expect((await send('DELETE', `${group}/members/${admin.person}`)).status).toBe(409);
    expect((await send('DELETE', `${group}/service-accounts/${robot}`)).status).toBe(200);
  });
});

describe('an admin for a time', () => {
  let deputy: Caller;
  let until: string;
  let admins: string;
  beforeEach(async () => {
    deputy = await api.signUp('deputy');
    until = inAnHour();
    admins = `${workspace.path}/groups/${workspace.groups['WSAdmins']}`;
    await api.addMember(workspace, deputy);
    await admin.call('PUT', `${admins}/members/${deputy.person}`, { expires_at: until });
  });

  it('makes nobody an admin for longer, by no way there is', async () => {
    const sa = await deputy.call('POST', `${workspace.path}/service-accounts`, { name: 'robot' });
    const group = `${workspace.path}/groups/${team}`;
    await deputy.call('PUT', `${group}/members/${deputy.person}`);
    const later = new Date(Date.parse(until) + 1_000).toISOString();
    const anyone = { connector: 'local', subject: 'anyone' };
    const tree = { connector: 'local', parent: 'WSAdmins', groups: [] };
    const attempts: [string, string, unknown][] = [
      ['PUT', `${admins}/members/${deputy.person}`, { expires_at: null }],
      ['PUT', `${admins}/members/${deputy.person}`, { expires_at: later }],
      ['PUT', `${admins}/members/${person}`, undefined],
      ['POST', `${admins}/members`, anyone],
      ['PUT', `${admins}/service-accounts/${sa.body.id}`, undefined],
      ['PATCH', group, { parent: workspace.groups['WSAdmins'] }],
      [
        'POST',
        `${workspace.path}/imports`,
        { ...tree, groups: [{ name: 'mine', parent: null, members: ['deputy-2'] }] },
      ],
    ];
    for (const [method, path, body] of attempts) {
      const answer = await deputy.call(method, path, body, { 'If-Match': '*' });
      expect(answer.status, `${method} ${path}`).toBe(403);
      expect(answer.body.detail).toContain(until);
    }
    const rows = await api.database.query(
      `SELECT m.expires_at FROM group_member m JOIN workspace_group g ON g.id = m.group_id
       WHERE g.workspace_id = $1 AND g.name = 'WSAdmins' AND m.person_id = $2`,
      [workspace.uuid, deputy.id],
    );
    expect(rows).toEqual([{ expires_at: new Date(until) }]);
  });

  it('does everything else, and gives admin rights that end with their own', async () => {
    const path = `${admins}/members/${person}`;
    const given = await deputy.call('PUT', path, { expires_at: until });
    expect(given.status).toBe(200);
    expect((await deputy.call('DELETE', path)).status).toBe(200);
    const moved = await deputy.call(
      'PATCH',
      `${workspace.path}/groups/${team}`,
      { parent: workspace.groups['WSUsers'] },
      { 'If-Match': '*' },
    );
    expect(moved.status).toBe(200);
  });
});
