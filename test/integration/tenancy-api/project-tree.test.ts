import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId, parseId } from '#domain/identifiers.ts';
import {
  type Answer,
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
let projects: string;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  projects = `${workspace.path}/projects`;
});

const create = async (name: string, parent?: string): Promise<string> => {
  const answer = await admin.call('POST', projects, { name, ...(parent && { parent }) });
  expect(answer).toMatchObject({ status: 202, body: { project: { parent: parent ?? null } } });
  return answer.body.project.id;
};
const move = (project: string, parent: string | null, query = ''): Promise<Answer> =>
  admin.call('PATCH', `${projects}/${project}${query}`, { parent }, { 'If-Match': '*' });
const assign = async (project: string, presetRole = 'workspace-viewer'): Promise<string> => {
  const grant = { group: workspace.groups['WSUsers'], project, preset_role: presetRole };
  const answer = await admin.call('POST', `${workspace.path}/role-assignments`, grant);
  expect(answer.status).toBe(202);
  return answer.body.role_assignment.id;
};
const idsOf = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id);
const parentOf = async (project: string) =>
  (await admin.call('GET', `${projects}/${project}`)).body.parent;
const namespacesOf = async (task: { id: string }) =>
  (
    await api.database.query<{ namespace: string; namespaces: string[] | null }>(
      'SELECT namespace, namespaces FROM task WHERE id = $1',
      [parseId('task', task.id)],
    )
  )[0];

describe('a tree of projects', () => {
  it('grows at creation and by moves, and lists what is directly below', async () => {
    const top = await create('top');
    const mid = await create('mid', top);
    const low = await create('low', mid);
    expect(idsOf((await admin.call('GET', `${projects}?parent=${top}`)).body.items)).toEqual([mid]);
    expect((await move(low, top)).status).toBe(202);
    expect(await parentOf(low)).toBe(top);
    const below = (await admin.call('GET', `${projects}?parent=${top}`)).body.items;
    expect(idsOf(below)).toEqual([mid, low]);
    expect((await move(low, null)).body.project.parent).toBeNull();
    expect(await parentOf(low)).toBeNull();
  });

  it('stays a tree of this workspace, of eight levels', async () => {
    const top = await create('top');
    const low = await create('low', top);
    const other = await api.createWorkspace(admin);
    const foreign = (await admin.call('POST', `${other.path}/projects`, { name: 'foreign' })).body
      .project.id;
    const refusals = [
      [top, 'its own parent'],
      [low, 'cycle'],
      [foreign, 'no such project'],
      [formatId('project', createId()), 'no such project'],
    ] as const;
    for (const [parent, detail] of refusals) {
      expect(await move(top, parent), parent).toMatchObject({
        status: 422,
        body: {
          type: expect.stringContaining('invalid-parent'),
          errors: [{ pointer: '#/parent', detail: expect.stringContaining(detail) }],
        },
      });
    }
    expect(await parentOf(top)).toBeNull();
    expect((await admin.call('POST', projects, { name: 'x', parent: foreign })).status).toBe(422);
    expect((await move(top, 'nonsense')).status).toBe(400);

    let last = low;
    for (let level = 3; level <= 8; level += 1) last = await create(`level${level}`, last);
    const ninth = await admin.call('POST', projects, { name: 'ninth', parent: last });
    expect(ninth).toMatchObject({
      status: 422,
      body: { errors: [{ detail: expect.stringContaining('8 levels') }] },
    });
    const root = await create('root');
    expect(await move(top, root)).toMatchObject({ status: 422 });
    expect((await move(last, root)).status).toBe(202);
  });

  it('moved two ways at once never becomes a cycle', async () => {
    const [a, b] = [await create('a'), await create('b')];
    const statuses = (await Promise.all([move(a, b), move(b, a)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([202, 422]);
  });

  it('loses a project only when nothing is below it', async () => {
    const top = await create('top');
    await create('one', top);
    const two = await create('two', top);
    for (const query of ['confirm=top', 'dry_run=true']) {
      expect(await admin.call('DELETE', `${projects}/${top}?${query}`)).toMatchObject({
        status: 409,
        body: {
          type: expect.stringContaining('project-has-children'),
          detail: expect.stringMatching(/"top": one, two\. Move or delete/),
        },
      });
    }
    await move(two, null);
    const one = (await admin.call('GET', `${projects}?name=one`)).body.items[0].id;
    await admin.call('DELETE', `${projects}/${one}?confirm=one`);
    expect((await admin.call('DELETE', `${projects}/${top}?confirm=top`)).status).toBe(202);
  });
});

describe('what is given above', () => {
  const inherited = async (project: string, more = '') =>
    (
      await admin.call(
        'GET',
        `${workspace.path}/role-assignments?project=${project}&inherited=true${more}`,
      )
    ).body;

  it('holds below, and is listed with where it comes from', async () => {
    const top = await create('top');
    const mid = await create('mid', top);
    const low = await create('low', mid);
    const beside = await create('beside', top);
    const [inTop, inMid] = [await assign(top), await assign(mid, 'workspace-admin')];
    await assign(low);
    await assign(beside);
    const { items } = await inherited(low);
    expect(items).toMatchObject([
      { id: inTop, project: top, inherited_from: { project: top, name: 'top', depth: 2 } },
      { id: inMid, project: mid, inherited_from: { project: mid, name: 'mid', depth: 1 } },
    ]);
    expect((await inherited(top)).items).toEqual([]);
    const admins = await inherited(low, '&preset_role=workspace-admin');
    expect(idsOf(admins.items)).toEqual([inMid]);
    await api.database.query(`UPDATE role_assignment SET expires_at = now() WHERE id = $1`, [
      parseId('roleAssignment', inTop),
    ]);
    expect(idsOf((await inherited(low)).items)).toEqual([inMid]);
  });

  it('is listed page by page', async () => {
    const top = await create('top');
    const low = await create('low', top);
    const given = [await assign(top), await assign(top, 'workspace-admin')];
    const first = await inherited(low, '&limit=1');
    const second = await inherited(low, `&limit=1&cursor=${first.next_cursor}`);
    expect([...idsOf(first.items), ...idsOf(second.items)]).toEqual(given);
    expect(second.next_cursor).toBeNull();
  });

  it('is gained and lost by a move, which says so before and after alike', async () => {
    const [oldTop, newTop] = [await create('old'), await create('new')];
    const shared = await create('shared', oldTop);
    const moved = await create('moved', shared);
    const below = await create('below', moved);
    const lost = [await assign(oldTop), await assign(shared)];
    const gained = [await assign(newTop, 'workspace-admin')];
    await assign(moved);
    await assign(below);

    const seen = await move(moved, newTop, '?dry_run=true');
    expect(seen).toMatchObject({ status: 200, body: { task: null, project: { parent: newTop } } });
    expect(await parentOf(moved)).toBe(shared);
    const done = await move(moved, newTop);
    expect(done).toMatchObject({ status: 202, body: { task: { kind: 'project.move' } } });
    for (const { body } of [seen, done]) {
      expect(body.move.projects).toEqual([
        { id: moved, name: 'moved' },
        { id: below, name: 'below' },
      ]);
      expect(idsOf(body.move.gained)).toEqual(gained);
      expect(idsOf(body.move.lost)).toEqual(lost);
      expect(body.move.truncated).toBe(false);
      expect(body.move.gained[0].inherited_from).toEqual({
        project: newTop,
        name: 'new',
        depth: 1,
      });
      expect(body.move.lost[0].inherited_from).toMatchObject({ name: 'old', depth: 2 });
    }
  });

  it('isn’t changed by a move below an ancestor’s ancestor, as far as that goes', async () => {
    const top = await create('top');
    const mid = await create('mid', top);
    const low = await create('low', mid);
    await assign(top);
    const inMid = await assign(mid);
    const { body } = await move(low, top);
    expect(body.move).toMatchObject({ gained: [], lost: [{ id: inMid }] });
  });
});

describe('the task of a change', () => {
  it('waits for every namespace that it concerns', async () => {
    const top = await create('top');
    const mid = await create('mid', top);
    const low = await create('low', mid);
    await create('beside', top);
    const grant = { group: workspace.groups['WSUsers'], preset_role: 'workspace-viewer' };
    const given = (project?: string) =>
      admin.call('POST', `${workspace.path}/role-assignments`, { ...grant, project });
    const sorted = async (answer: Answer) => {
      const { namespace, namespaces } = (await namespacesOf(answer.body.task)) ?? {};
      return { namespace, namespaces: namespaces?.sort() ?? null };
    };
    expect(await sorted(await given(mid))).toEqual({
      namespace: 'mid',
      namespaces: ['low', 'mid'],
    });
    expect(await sorted(await given(low))).toEqual({ namespace: 'low', namespaces: ['low'] });
    expect(await sorted(await given())).toEqual({ namespace: null, namespaces: null });
    expect(await sorted(await move(mid, null))).toEqual({
      namespace: 'mid',
      namespaces: ['low', 'mid'],
    });
    const limited = await admin.call(
      'PATCH',
      `${projects}/${mid}`,
      { quota: { pods: '1' } },
      { 'If-Match': '*' },
    );
    expect(await sorted(limited)).toEqual({ namespace: 'mid', namespaces: null });
    const deleted = await admin.call('DELETE', `${projects}/${low}?confirm=low`);
    expect(await sorted(deleted)).toEqual({ namespace: 'low', namespaces: null });
  });
});
