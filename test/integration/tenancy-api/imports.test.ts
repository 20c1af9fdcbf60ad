import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_GROUP_DEPTH } from '#domain/group-tree.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
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
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
});

const send = (body: unknown) => admin.call('POST', `${workspace.path}/imports`, body);

/** Everything that an import can change. */
const snapshot = () =>
  api.database.query(
    `SELECT g.name, g.display_name, p.name AS parent, g.version,
       (SELECT count(*)::int FROM group_member m WHERE m.group_id = g.id) AS members,
       (SELECT count(*)::int FROM workspace_member m WHERE m.workspace_id = g.workspace_id) AS people,
       (SELECT count(*)::int FROM audit_event a WHERE a.workspace_id = g.workspace_id) AS events
     FROM workspace_group g LEFT JOIN workspace_group p ON p.id = g.parent_id
     WHERE g.workspace_id = $1 ORDER BY g.name COLLATE "C"`,
    [workspace.uuid],
  );

const group = (name: string, parent: string | null = null, members: string[] = []) => ({
  name,
  parent,
  members,
});

describe('importing the Kubernetes organisation', () => {
  it('makes every group, person and membership, and the second time nothing', async () => {
    const first = await send({ connector: 'kubernetes', ...organisation });
    expect(first).toMatchObject({
      status: 200,
      body: {
        groups_added: 750,
        groups_moved: 0,
        members_added: 666,
        memberships_added: 3532,
      },
    });
    const after = await snapshot();
    expect(after).toHaveLength(753);
    const parents = new Map(after.map((row) => [row['name'], row['parent']]));
    for (const { name, parent } of organisation.groups) {
      expect(parents.get(name)).toBe(parent ?? 'WorkspaceMembers');
    }
    const second = await send({ connector: 'kubernetes', ...organisation });
    expect(second).toMatchObject({
      status: 200,
      body: {
        groups_added: 0,
        groups_moved: 0,
        groups_renamed: 0,
        groups_unchanged: 750,
        members_added: 0,
        memberships_added: 0,
      },
    });
    expect(await snapshot()).toEqual(after);
  });
});

describe('an import', () => {
  it('goes below the group it names, by id or by name, and meets people who are there', async () => {
    await send({ connector: 'local', parent: 'WSUsers', groups: [group('a', null, ['ann'])] });
    const parent = workspace.groups['WSAdmins'];
    const result = await send({
      connector: 'local',
      parent,
      groups: [{ ...group('b', null, ['ann', 'ann']), display_name: 'B!' }, group('c', 'b')],
    });
    expect(result.body).toMatchObject({ members_added: 0, memberships_added: 1 });
    expect(await snapshot()).toMatchObject([
      { name: 'WSAdmins' },
      { name: 'WSUsers' },
      { name: 'WorkspaceMembers' },
      { name: 'a', parent: 'WSUsers', members: 1 },
      { name: 'b', parent: 'WSAdmins', members: 1, display_name: 'B!' },
      { name: 'c', parent: 'b', people: 2 },
    ]);
  });

  it('moves a group that is elsewhere and counts it', async () => {
    await send({ connector: 'local', groups: [group('a'), group('b', 'a')] });
    const moved = await send({ connector: 'local', groups: [group('b')] });
    expect(moved.body).toMatchObject({ groups_moved: 1, groups_added: 0 });
  });

  it('is as deep as a tree may be, and no deeper', async () => {
    const chain = (levels: number) =>
      Array.from({ length: levels }, (_, i) =>
        group(`g${i}`, i === 0 ? null : `g${i - 1}`, i === levels - 1 ? ['deep'] : []),
      );
    const levels = MAX_GROUP_DEPTH - 1;
    const refused = await send({ connector: 'local', groups: chain(levels + 1) });
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toMatchObject([{ pointer: `#/groups/${levels}/parent` }]);
    const answer = await send({ connector: 'local', groups: chain(levels) });
    expect(answer.body).toMatchObject({ groups_added: levels });
    const members = await admin.call('GET', `${workspace.path}/members`);
    const deep = members.body.items.find(
      (each: { display_name: string }) => each.display_name === 'deep',
    );
    const detail = await admin.call('GET', `${workspace.path}/members/${deep.id}`);
    expect(detail.body.effective_groups).toHaveLength(MAX_GROUP_DEPTH);
    const { items } = (await admin.call('GET', `${workspace.path}/groups?name=g${levels - 1}`))
      .body;
    const below = { name: 'below', parent: items[0].id };
    const created = await admin.call('POST', `${workspace.path}/groups`, below);
    expect(created.status).toBe(422);
    expect(created.body.detail).toContain(`${MAX_GROUP_DEPTH} levels`);
    const top = (await admin.call('GET', `${workspace.path}/groups?name=g0`)).body.items[0];
    const moved = await admin.call(
      'PATCH',
      `${workspace.path}/groups/${top.id}`,
      { parent: workspace.groups['WSUsers'] },
      { 'If-Match': '*' },
    );
    expect(moved.status).toBe(422);
  });

  it('takes the same subject of two connectors for two people', async () => {
    await send({ connector: 'one', groups: [group('a', null, ['ann'])] });
    const second = await send({ connector: 'two', groups: [group('a', null, ['ann'])] });
    expect(second.body).toMatchObject({ members_added: 1, memberships_added: 1 });
  });

  it.each([
    [
      'a cycle',
      [group('ok', null, ['ann']), group('x', 'y'), group('y', 'x')],
      '#/groups/1/parent',
    ],
    ['its own parent', [group('ok', null, ['ann']), group('x', 'x')], '#/groups/1/parent'],
    ['an unknown parent', [group('ok', null, ['ann']), group('x', 'gone')], '#/groups/1/parent'],
    ['a duplicate', [group('ok', null, ['ann']), group('ok')], '#/groups/1/name'],
    ['a duplicate by case', [group('ok', null, ['ann']), group('OK')], '#/groups/1/name'],
    ['a preset', [group('ok', null, ['ann']), group('WSAdmins')], '#/groups/1/name'],
    ['a system group', [group('ok', null, ['ann']), group('system:masters')], '#/groups/1/name'],
    ['a path', [group('ok', null, ['ann']), group('../x')], '#/groups/1/name'],
    ['300 characters', [group('ok', null, ['ann']), group('x'.repeat(300))], '#/groups/1/name'],
    ['a look-alike', [group('ok', null, ['ann']), group('аdmins')], '#/groups/1/name'],
  ])('with %s is refused as a whole', async (_, groups, pointer) => {
    const before = await snapshot();
    const answer = await send({ connector: 'local', groups });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toContainEqual(
      expect.objectContaining({ pointer, detail: expect.any(String) }),
    );
    expect(await snapshot()).toEqual(before);
  });

  it('names every fault at once', async () => {
    const answer = await send({
      connector: 'local',
      groups: [group('a b'), group('x', 'gone'), group('X'), group('wsusers')],
    });
    expect(answer.body.errors.map((each: { pointer: string }) => each.pointer).sort()).toEqual([
      '#/groups/0/name',
      '#/groups/1/parent',
      '#/groups/2/name',
      '#/groups/3/name',
    ]);
  });

  it('of 100,000 groups, or of too many memberships, is refused by a stated limit', async () => {
    const before = await snapshot();
    const groups = Array.from({ length: 100_000 }, (_, i) => group(`g${i}`));
    const many = await send({ connector: 'local', groups });
    expect(many).toMatchObject({ status: 422, body: { detail: expect.stringContaining('10000') } });
    const members = Array.from({ length: 100_001 }, (_, i) => `m${i}`);
    const crowded = await send({ connector: 'local', groups: [], members });
    expect(crowded).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('100000') },
    });
    expect(await snapshot()).toEqual(before);
  });

  it('of 10,000 groups is carried out', async () => {
    const groups = Array.from({ length: 10_000 }, (_, i) =>
      group(`g${i}`, i === 0 ? null : `g${Math.floor((i - 1) / 3)}`, [`m${i % 1000}`]),
    );
    const answer = await send({ connector: 'local', groups });
    expect(answer.body).toMatchObject({ groups_added: 10_000, memberships_added: 10_000 });
  });

  it('refuses an unknown root, unknown fields, and what isn’t of the right type', async () => {
    const ok = { connector: 'local', groups: [group('x')] };
    expect((await send({ ...ok, parent: 'gone' })).status).toBe(422);
    const other = await api.createWorkspace(admin);
    expect((await send({ ...ok, parent: other.groups['WSUsers'] })).status).toBe(422);
    expect((await send({ ...ok, source: 's', commit: 'c', note: 'n' })).status).toBe(200);
    const bad = [
      { ...ok, owner: 'me' },
      { ...ok, connector: '' },
      { ...ok, groups: 'x' },
      { ...ok, groups: [{ ...group('x'), preset: true }] },
      { ...ok, groups: [group('x', null, [''])] },
      { ...ok, groups: [{ name: 'x' }] },
      { groups: [] },
    ];
    for (const body of bad) expect((await send(body)).status).toBe(400);
  });

  it('of two at once ends as if one came after the other', async () => {
    const groups = Array.from({ length: 50 }, (_, i) => group(`g${i}`, null, [`p${i}`]));
    const answers = await Promise.all([1, 2, 3, 4].map(() => send({ connector: 'twice', groups })));
    expect(answers.map((answer) => answer.body.groups_added).toSorted()).toEqual([0, 0, 0, 50]);
    expect(answers.map((answer) => answer.body.members_added).toSorted()).toEqual([0, 0, 0, 50]);
  });
});
