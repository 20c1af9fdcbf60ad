/** Imports that are shown before they are done, and names that have to be made to fit. */
import { readFile } from 'node:fs/promises';
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
let organisation: { groups: { name: string; parent: string | null; members: string[] }[] };
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  const file = new URL('../../data/kubernetes-org-teams.json', import.meta.url);
  organisation = JSON.parse(await readFile(file, 'utf8'));
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
});

const send = (body: object, query = '') =>
  admin.call('POST', `${workspace.path}/imports${query}`, { connector: 'local', ...body });

const group = (name: string, parent: string | null = null, members: string[] = []) => ({
  name,
  parent,
  members,
});

const groupRows = () =>
  api.database.query<{ name: string; display_name: string; parent: string | null }>(
    `SELECT g.name, g.display_name, p.name AS parent
     FROM workspace_group g LEFT JOIN workspace_group p ON p.id = g.parent_id
     WHERE g.workspace_id = $1 AND NOT g.preset ORDER BY g.name COLLATE "C"`,
    [workspace.uuid],
  );

describe('a plan', () => {
  it('shows all changes, makes none, and is carried out as it was shown', async () => {
    await send({ groups: [group('a'), group('b', 'a', ['ann'])] });
    const people = await api.database.query('SELECT count(*) FROM person');
    const change = {
      groups: [{ ...group('b', null, ['ann', 'bob']), display_name: 'B!' }, group('c', 'b')],
      members: ['cid'],
    };
    const plan = await send(change, '?dry_run=true');
    expect(plan).toMatchObject({
      status: 200,
      body: {
        groups_added: 1,
        groups_moved: 1,
        groups_renamed: 1,
        groups_unchanged: 0,
        members_added: 2,
        memberships_added: 1,
        diff: {
          groups_added: [{ name: 'c', display_name: 'c', parent: 'b', imported_as: null }],
          groups_moved: [{ name: 'b', from: 'a', to: 'WorkspaceMembers' }],
          groups_renamed: [{ name: 'b', from: 'b', to: 'B!' }],
          members_added: ['bob', 'cid'],
          memberships_added: [{ group: 'b', subject: 'bob' }],
        },
      },
    });
    expect(await groupRows()).toMatchObject([{ name: 'a' }, { name: 'b', parent: 'a' }]);
    expect(await api.database.query('SELECT count(*) FROM person')).toEqual(people);
    const { digest, diff } = plan.body;
    expect((await send(change, '?dry_run=true')).body.digest).toBe(digest);
    const applied = await send(change, `?digest=${digest}`);
    expect(applied).toMatchObject({ status: 200, body: { diff, digest } });
    expect(await groupRows()).toMatchObject([
      {},
      { name: 'b', display_name: 'B!' },
      { parent: 'b' },
    ]);
    const again = await send(change, `?digest=${digest}`);
    expect(again.status).toBe(412);
  });

  it('is not carried out when something else would change by now', async () => {
    const change = { groups: [group('a', null, ['ann'])] };
    const { digest } = (await send(change, '?dry_run=true')).body;
    await send({ groups: [group('a')] });
    const late = await send(change, `?digest=${digest}`);
    expect(late).toMatchObject({
      status: 412,
      body: { detail: expect.stringContaining('?dry_run=true') },
    });
    const members = await admin.call('GET', `${workspace.path}/members`);
    expect(members.body.items).toHaveLength(1);
    expect((await send({ ...change, connector: 'other' }, `?digest=${digest}`)).status).toBe(412);
  });

  it('of the Kubernetes organisation lists a thousand of each and counts all', async () => {
    const plan = await send(organisation, '?dry_run=true');
    const body = { groups_added: 750, members_added: 666, memberships_added: 3532 };
    expect(plan.body).toMatchObject(body);
    expect(plan.body.diff.memberships_added).toHaveLength(1000);
    const applied = await send(organisation, `?digest=${plan.body.digest}`);
    expect(applied.body).toMatchObject(body);
  });
});

describe('a name that no group can have', () => {
  it('is refused with a suggestion, and imported by it', async () => {
    const refused = await send({ groups: [group('sig release'), group('x', 'sig release')] });
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/groups/0/name', suggestion: 'sig-release' }] },
    });
    expect(refused.body.errors).toHaveLength(1);
    expect((await send({ groups: [group('sig-release')] })).status).toBe(200);
  });

  const names = ['sig release', 'sig/release', 'Größe/Weiß', '日本', 'plain', 'Sig-Release'];
  const forest = { names: 'fit', groups: names.map((name) => group(name, null, ['ann'])) };

  it('is made to fit on request, the original shown; again nothing changes', async () => {
    const first = await send(forest);
    expect(first).toMatchObject({ status: 200, body: { groups_added: 6, memberships_added: 6 } });
    const rows = await groupRows();
    const shown = new Map(rows.map((row) => [row.display_name, row.name]));
    expect([...shown.keys()].sort()).toEqual(names.toSorted());
    expect(shown.get('Sig-Release')).toBe('Sig-Release');
    expect(shown.get('sig release')).toMatch(/^sig-release-[0-9a-f]{8}$/);
    expect(shown.get('日本')).toMatch(/^group-[0-9a-f]{8}$/);
    for (const groups of [forest.groups, forest.groups.toReversed(), forest.groups.slice(1, 2)]) {
      expect((await send({ ...forest, groups })).body).toMatchObject({
        groups_added: 0,
        groups_moved: 0,
        groups_renamed: 0,
        memberships_added: 0,
      });
    }
    expect(await groupRows()).toEqual(rows);
  });

  it('finds its group again after that was renamed, also as a parent', async () => {
    await send({ names: 'fit', groups: [group('sig release')] });
    const [row] = (await admin.call('GET', `${workspace.path}/groups?name=sig-release`)).body.items;
    const path = `${workspace.path}/groups/${row.id}`;
    await admin.call('PATCH', path, { display_name: 'Releases' }, { 'If-Match': '*' });
    const again = await send({
      names: 'fit',
      groups: [group('sig release'), group('x', 'sig release')],
    });
    expect(again.body).toMatchObject({ groups_added: 1, groups_renamed: 0, groups_unchanged: 1 });
    expect(await groupRows()).toEqual([
      { name: 'sig-release', display_name: 'Releases', parent: 'WorkspaceMembers' },
      { name: 'x', display_name: 'x', parent: 'sig-release' },
    ]);
  });

  it('that is a preset’s is refused all the same', async () => {
    for (const name of ['WSAdmins', 'wsadmins']) {
      const answer = await send({ names: 'fit', groups: [group(name, null, ['eve'])] });
      expect(answer.status).toBe(422);
    }
    const answer = await send({ names: 'fit', groups: [group('WS/Admins!', null, ['eve'])] });
    expect(answer.body.diff.groups_added).toMatchObject([{ name: 'WS-Admins' }]);
  });
});
