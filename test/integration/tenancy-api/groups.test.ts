import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
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

const createGroup = async (name: string, parent?: string): Promise<string> => {
  const answer = await admin.call('POST', `${workspace.path}/groups`, {
    name,
    ...(parent && { parent }),
  });
  expect(answer.status).toBe(201);
  return answer.body.id;
};

const patch = (group: string, body: unknown, query = '') =>
  admin.call('PATCH', `${workspace.path}/groups/${group}${query}`, body, { 'If-Match': '*' });

const addMember = async (group: string, subject: string): Promise<string> => {
  const path = `${workspace.path}/groups/${group}/members`;
  const answer = await admin.call('POST', path, { connector: 'local', subject });
  expect(answer.status).toBe(200);
  return answer.body.member.id;
};

const effectiveGroups = async (person: string): Promise<string[]> => {
  const answer = await admin.call('GET', `${workspace.path}/members/${person}`);
  return answer.body.effective_groups.map((group: { name: string }) => group.name);
};

describe('creating a group', () => {
  it('puts it below WorkspaceMembers unless told otherwise', async () => {
    const answer = await admin.call('POST', `${workspace.path}/groups`, {
      name: 'Team.A',
      display_name: 'Team A 日本',
    });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        name: 'Team.A',
        display_name: 'Team A 日本',
        parent: workspace.groups['WorkspaceMembers'],
        preset: false,
      },
    });
    const read = await admin.call('GET', answer.headers.get('Location') ?? '');
    expect(read.body).toEqual(answer.body);
  });

  it.each([
    'system:masters',
    '../x',
    'x'.repeat(300),
    'аdmins',
    'a b',
    '',
    '-a',
    'a/b',
    'a\u200bb',
  ])('refuses the name %j', async (name) => {
    const answer = await admin.call('POST', `${workspace.path}/groups`, { name });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/name' }] } });
    expect((await admin.call('GET', `${workspace.path}/groups`)).body.items).toHaveLength(3);
  });

  it('refuses a name that is taken, also in another case, also a preset’s', async () => {
    await createGroup('Team');
    for (const name of ['Team', 'TEAM', 'wsadmins']) {
      const answer = await admin.call('POST', `${workspace.path}/groups`, { name });
      expect(answer).toMatchObject({ status: 409, body: { errors: [{ pointer: '#/name' }] } });
    }
  });

  it('refuses a parent that is unknown or of another workspace, both alike', async () => {
    const other = await api.createWorkspace(admin);
    for (const parent of [other.groups['WSUsers'], formatId('group', createId())]) {
      const answer = await admin.call('POST', `${workspace.path}/groups`, { name: 'x', parent });
      expect(answer).toMatchObject({
        status: 422,
        body: {
          errors: [{ pointer: '#/parent', detail: expect.stringContaining('no such group') }],
        },
      });
    }
  });

  it('says what a parent’s id looks like to whoever gives something else', async () => {
    for (const parent of ['nonsense', workspace.id, '', 'WSUsers']) {
      const answer = await admin.call('POST', `${workspace.path}/groups`, { name: 'x', parent });
      expect(answer).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '#/parent', detail: 'Give its id, grp_….' }] },
      });
    }
  });
});

describe('moving a group', () => {
  it('changes what members’ tokens carry, and says from when', async () => {
    const [a, b] = [await createGroup('a'), await createGroup('b')];
    const leaf = await createGroup('leaf', a);
    const person = await addMember(leaf, 'mover');
    expect(await effectiveGroups(person)).toEqual(['WorkspaceMembers', 'a', 'leaf']);
    const before = Date.now();
    const answer = await patch(leaf, { parent: b });
    expect(answer).toMatchObject({ status: 200, body: { group: { id: leaf, parent: b } } });
    const from = Date.parse(answer.body.new_tokens_from);
    expect(from).toBeGreaterThanOrEqual(before);
    expect(Date.parse(answer.body.old_tokens_until) - from).toBeGreaterThanOrEqual(120_000);
    expect(await effectiveGroups(person)).toEqual(['WorkspaceMembers', 'b', 'leaf']);
  });

  it('renames without touching tokens', async () => {
    const id = await createGroup('a');
    const answer = await patch(id, { display_name: 'New' });
    expect(answer.body).toMatchObject({
      group: { name: 'a', display_name: 'New' },
      new_tokens_from: null,
      old_tokens_until: null,
    });
  });

  it('refuses itself, a descendant, another workspace, the name and nothing at all', async () => {
    const top = await createGroup('top');
    const middle = await createGroup('middle', top);
    const leaf = await createGroup('leaf', middle);
    const other = await api.createWorkspace(admin);
    const path = `${workspace.path}/groups/${top}`;
    const refusals = [
      [top, 'own parent'],
      [middle, 'cycle'],
      [leaf, 'cycle'],
      [other.groups['WSUsers'], 'no such group'],
    ];
    for (const [parent, detail] of refusals) {
      const answer = await patch(top, { parent });
      expect(answer).toMatchObject({
        status: 422,
        body: { detail: expect.stringContaining(detail ?? ''), errors: [{ pointer: '#/parent' }] },
      });
    }
    for (const body of [{ name: 'x' }, {}, { parent: null }, { preset: false }, [], 'x', 7, null]) {
      expect((await patch(top, body)).status).toBe(400);
    }
    expect((await admin.call('GET', path)).body.parent).toBe(workspace.groups['WorkspaceMembers']);
  });

  it('refuses the presets', async () => {
    const parent = await createGroup('x');
    for (const group of Object.values(workspace.groups)) {
      const path = `${workspace.path}/groups/${group}`;
      expect((await patch(group, { parent })).status).toBe(409);
      expect((await patch(group, { display_name: 'x' })).status).toBe(409);
      expect((await admin.call('DELETE', path)).status).toBe(409);
    }
  });

  it('never makes a cycle nor a fault, whatever 32 writers move at once', async () => {
    const groups = await Promise.all(Array.from({ length: 12 }, (_, i) => createGroup(`g${i}`)));
    const pick = (seed: number): string => groups[seed % groups.length] ?? '';
    const statuses = await Promise.all(
      Array.from({ length: 32 }, async (_, writer) => {
        const seen: number[] = [];
        for (let turn = 0; turn < 6; turn += 1) {
          const [group, parent] = [pick(writer * 7 + turn * 5), pick(writer * 3 + turn * 11 + 1)];
          seen.push((await patch(group, { parent })).status);
        }
        return seen;
      }),
    );
    expect(new Set(statuses.flat())).toEqual(new Set([200, 422]));
    const unreachable = await api.database.query(
      `WITH RECURSIVE reached AS (
         SELECT id FROM workspace_group WHERE workspace_id = $1 AND parent_id IS NULL
         UNION
         SELECT g.id FROM reached r JOIN workspace_group g ON g.parent_id = r.id
       )
       SELECT name FROM workspace_group WHERE workspace_id = $1 AND id NOT IN (SELECT id FROM reached)`,
      [workspace.uuid],
    );
    expect(unreachable).toEqual([]);
  });
});

describe('deleting a group', () => {
  it('needs the groups below it gone first', async () => {
    const top = await createGroup('top');
    const leaf = await createGroup('leaf', top);
    const refused = await admin.call('DELETE', `${workspace.path}/groups/${top}`);
    expect(refused).toMatchObject({
      status: 409,
      body: { title: expect.stringContaining('below') },
    });
    expect(await admin.call('DELETE', `${workspace.path}/groups/${leaf}`)).toMatchObject({
      status: 200,
      body: { task: null },
    });
    expect((await admin.call('DELETE', `${workspace.path}/groups/${top}`)).status).toBe(200);
    expect((await admin.call('GET', `${workspace.path}/groups/${top}`)).status).toBe(404);
  });

  it('takes its roles away in the cluster, by a task', async () => {
    const group = await createGroup('viewers');
    await admin.call('POST', `${workspace.path}/role-assignments`, {
      group,
      preset_role: 'workspace-viewer',
    });
    const answer = await admin.call('DELETE', `${workspace.path}/groups/${group}`);
    expect(answer).toMatchObject({ status: 202, body: { task: { kind: 'group.delete' } } });
    expect(answer.headers.get('Location')).toBe(`/v1/tasks/${answer.body.task.id}`);
    const left = await admin.call('GET', `${workspace.path}/role-assignments`);
    expect(left.body.items).toHaveLength(1);
  });
});

describe('members', () => {
  it('are put into a group by identity or by person, once however often', async () => {
    const [a, b] = [await createGroup('a'), await createGroup('b', undefined)];
    const person = await addMember(a, 'newcomer');
    expect(await addMember(a, 'newcomer')).toBe(person);
    const path = `${workspace.path}/groups/${b}/members/${person}`;
    for (const _ of [1, 2]) {
      const answer = await admin.call('PUT', path);
      expect(answer).toMatchObject({ status: 200, body: { member: { id: person } } });
      expect(Date.parse(answer.body.old_tokens_until)).toBeGreaterThan(Date.now());
    }
    const listed = await admin.call('GET', `${workspace.path}/groups/${b}/members`);
    expect(listed.body.items).toMatchObject([{ id: person, display_name: 'newcomer' }]);
    expect((await admin.call('DELETE', path)).body.old_tokens_until).toBeDefined();
    expect((await admin.call('DELETE', path)).status).toBe(404);
    expect(await effectiveGroups(person)).toEqual(['WorkspaceMembers', 'a']);
  });

  it('keep the subject to the byte: a second person for another case', async () => {
    const group = await createGroup('a');
    expect(await addMember(group, 'Sam')).not.toBe(await addMember(group, 'sam'));
  });

  it('can’t be people whom the admin doesn’t know', async () => {
    const stranger = await api.signUp('stranger');
    for (const person of [stranger.person, formatId('person', createId()), 'x', workspace.id]) {
      const path = `${workspace.path}/groups/${workspace.groups['WSUsers']}/members/${person}`;
      expect((await admin.call('PUT', path)).status).toBe(404);
    }
  });

  it('leave the workspace with all its groups', async () => {
    const person = await addMember(await createGroup('a'), 'leaver');
    await admin.call(
      'PUT',
      `${workspace.path}/groups/${workspace.groups['WSUsers']}/members/${person}`,
    );
    const path = `${workspace.path}/members/${person}`;
    expect((await admin.call('DELETE', path)).status).toBe(200);
    expect((await admin.call('GET', path)).status).toBe(404);
    expect((await admin.call('DELETE', path)).status).toBe(404);
    const left = await api.database.query(
      'SELECT FROM group_member WHERE workspace_id = $1 AND person_id <> $2',
      [workspace.uuid, admin.id],
    );
    expect(left).toEqual([]);
  });

  it.each([
    [{ connector: 'local' }],
    [{ connector: 'local', subject: '' }],
    [{ connector: 'lo cal', subject: 'x' }],
    [{ connector: 'local', subject: 'a\u0007' }],
    [{ connector: 'local', subject: 'x', person: 'usr_1' }],
  ])('refuse %j', async (body) => {
    const path = `${workspace.path}/groups/${workspace.groups['WSUsers']}/members`;
    expect((await admin.call('POST', path, body)).status).toBe(400);
  });
});

describe('the last admin', () => {
  const refusal = {
    status: 409,
    body: { detail: expect.stringContaining('Add someone who has signed in') },
  };

  it('can’t leave, by any way there is', async () => {
    const admins = `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members`;
    expect(await admin.call('DELETE', `${admins}/${admin.person}`)).toMatchObject(refusal);
    const member = `${workspace.path}/members/${admin.person}`;
    expect(await admin.call('DELETE', member)).toMatchObject(refusal);
    expect((await admin.call('GET', member)).body.direct_groups).toMatchObject([
      { name: 'WSAdmins' },
    ]);
  });

  it('can be one through a group below WSAdmins, which then can’t be moved or deleted', async () => {
    const ops = await createGroup('ops', workspace.groups['WSAdmins']);
    await admin.call('PUT', `${workspace.path}/groups/${ops}/members/${admin.person}`);
    const direct = `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members/${admin.person}`;
    expect((await admin.call('DELETE', direct)).status).toBe(200);
    const path = `${workspace.path}/groups/${ops}`;
    const away = { parent: workspace.groups['WSUsers'] };
    expect(await patch(ops, away)).toMatchObject(refusal);
    expect(await admin.call('DELETE', path)).toMatchObject(refusal);
    const imported = await admin.call('POST', `${workspace.path}/imports`, {
      connector: 'local',
      groups: [{ name: 'ops', parent: null }],
    });
    expect(imported).toMatchObject(refusal);
  });

  it.each([
    ['is suspended', 'suspended_at = now(), first_signed_in_at = now()'],
    ['has never signed in', 'first_signed_in_at = NULL'],
  ])('isn’t replaced by someone who %s', async (_name, state) => {
    const person = await addMember(workspace.groups['WSAdmins'] ?? '', 'other-admin-to-be');
    await api.database.query(`UPDATE person SET ${state} WHERE display_name = 'other-admin-to-be'`);
    const admins = `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members`;
    expect(await admin.call('DELETE', `${admins}/${admin.person}`)).toMatchObject(refusal);
    expect((await admin.call('DELETE', `${admins}/${person}`)).status).toBe(200);
  });

  it('may go when another stays, and sees nothing from then on', async () => {
    const other = await api.signUp('other-admin');
    await api.addMember(workspace, other);
    const admins = `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members`;
    expect((await admin.call('PUT', `${admins}/${other.person}`)).status).toBe(200);
    expect((await other.call('DELETE', `${workspace.path}/membership`)).status).toBe(200);
    expect((await other.call('GET', workspace.path)).status).toBe(404);
  });
});
