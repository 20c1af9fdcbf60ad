import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let organisation: {
  groups: { name: string; parent: string | null; members: string[] }[];
  members: string[];
};
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  const file = new URL('../../data/kubernetes-org-teams.json', import.meta.url);
  organisation = JSON.parse(await readFile(file, 'utf8'));
});
afterAll(() => api[Symbol.asyncDispose]());

const imports = (workspace: TestWorkspace, body: unknown) =>
  admin.call('POST', `${workspace.path}/imports`, body);

const exports = (workspace: TestWorkspace, connector: string) =>
  admin.call('GET', `${workspace.path}/export?connector=${connector}`);

describe('an export', () => {
  it('of an imported organisation says what was imported', async () => {
    const workspace = await api.createWorkspace(admin);
    await imports(workspace, { connector: 'kubernetes', ...organisation });
    const { body } = await exports(workspace, 'kubernetes');
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(body.groups).toEqual(
      organisation.groups
        .map((group) => ({
          ...group,
          display_name: group.name,
          members: [...new Set(group.members)].sort(),
        }))
        .sort(byName),
    );
    const named = organisation.groups.flatMap((group) => group.members);
    expect(body.members).toEqual([...new Set([...organisation.members, ...named])].sort());
    expect(body.left_out).toEqual({
      members: 1,
      memberships: 1,
      expiring_memberships: 0,
      preset_memberships: 0,
      service_accounts: 0,
    });
  });

  it('is taken by an import as it is, and then says the same again', async () => {
    const from = await api.createWorkspace(admin);
    await imports(from, {
      connector: 'one',
      names: 'fit',
      members: ['zoe'],
      groups: [
        { name: 'sig release', parent: null, members: ['bob', 'ann'] },
        { name: 'leads', display_name: 'The leads', parent: 'sig release', members: ['ann'] },
        { name: 'ops', parent: 'WSAdmins', members: [] },
      ],
    });
    const first = await exports(from, 'one');
    expect(first.body).toMatchObject({
      connector: 'one',
      groups: [
        { name: 'leads', display_name: 'The leads', parent: 'sig-release', members: ['ann'] },
        { name: 'ops', parent: 'WSAdmins' },
        { name: 'sig-release', display_name: 'sig release', parent: null, members: ['ann', 'bob'] },
      ],
      members: ['ann', 'bob', 'zoe'],
    });
    const to = await api.createWorkspace(admin);
    expect(await imports(to, first.body)).toMatchObject({ status: 200, body: { groups_added: 3 } });
    expect((await exports(to, 'one')).body).toEqual(first.body);
    expect((await imports(from, first.body)).body).toMatchObject({
      groups_unchanged: 3,
      memberships_added: 0,
    });
  });

  it('leaves out what the format can’t say, and counts it', async () => {
    const workspace = await api.createWorkspace(admin);
    const { path, groups } = workspace;
    await imports(workspace, {
      connector: 'one',
      groups: [{ name: 'a', parent: null, members: ['ann', 'bob'] }],
    });
    await imports(workspace, {
      connector: 'two',
      groups: [{ name: 'a', parent: null, members: ['cid'] }],
    });
    const [a] = (await admin.call('GET', `${path}/groups?name=A`)).body.items;
    const members = `${path}/groups/${a.id}/members`;
    const expires_at = '2099-01-01T00:00:00Z';
    await admin.call('POST', members, { connector: 'one', subject: 'bob', expires_at });
    const users = `${path}/groups/${groups['WSUsers']}/members`;
    await admin.call('POST', users, { connector: 'one', subject: 'ann' });
    await admin.call('POST', `${path}/service-accounts`, { name: 'bot' });
    const { body } = await exports(workspace, 'one');
    expect(body).toMatchObject({
      groups: [{ name: 'a', members: ['ann'] }],
      members: ['ann', 'bob'],
      left_out: {
        members: 2,
        memberships: 2,
        expiring_memberships: 1,
        preset_memberships: 1,
        service_accounts: 1,
      },
    });
    expect((await exports(workspace, 'three')).body).toMatchObject({ members: [] });
  });

  it('needs a connector, and an admin', async () => {
    const workspace = await api.createWorkspace(admin);
    const path = `${workspace.path}/export`;
    expect(await admin.call('GET', path)).toMatchObject({
      status: 400,
      body: { errors: [{ parameter: 'connector' }] },
    });
    const member = await api.signUp('member');
    await api.addMember(workspace, member);
    expect((await member.call('GET', `${path}?connector=one`)).status).toBe(403);
  });
});
