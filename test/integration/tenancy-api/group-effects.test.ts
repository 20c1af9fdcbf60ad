/** What a move and a deletion do to members, said before they are done and by them. */
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
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());

/** top ─ a ─ leaf, and b beside a; ann is in leaf, bob in leaf and a, the robot in leaf. */
let groups: Record<'a' | 'b' | 'leaf', string>;
let people: Record<'ann' | 'bob' | 'robot', string>;
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  const a = (await send('POST', '/groups', { name: 'a' })).body.id;
  const b = (await send('POST', '/groups', { name: 'b' })).body.id;
  const leaf = (await send('POST', '/groups', { name: 'leaf', parent: a })).body.id;
  groups = { a, b, leaf };
  const robot = (await send('POST', '/service-accounts', { name: 'robot' })).body.id;
  await send('PUT', `/groups/${leaf}/service-accounts/${robot}`);
  const ann = await addMember(leaf, 'ann');
  const bob = await addMember(leaf, 'bob');
  await send('PUT', `/groups/${a}/members/${bob}`);
  people = { ann, bob, robot };
});

const send = (method: string, path: string, body?: unknown) =>
  admin.call(method, `${workspace.path}${path}`, body, { 'If-Match': '*' });

const addMember = async (group: string, subject: string): Promise<string> => {
  const body = { connector: 'local', subject: `${subject}-${workspace.id}` };
  return (await send('POST', `/groups/${group}/members`, body)).body.member.id;
};

const names = (list: { name: string }[]) => list.map((each) => each.name);

// biome-ignore lint/suspicious/noExplicitAny: the shape is checked by the caller of the API.
const brief = (effect: any) =>
  Object.fromEntries(
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    effect.affected.map((each: any) => [
      each.id,
      [names(each.groups_gained), names(each.groups_lost)],
    ]),
  );

/** All that a change of groups can change. */
const snapshot = () =>
  api.database.query(
    `SELECT g.id, g.parent_id, g.version,
       (SELECT count(*)::int FROM audit_event e WHERE e.workspace_id = $1) AS events,
       (SELECT count(*)::int FROM task t WHERE t.workspace_id = $1) AS tasks,
       (SELECT generation FROM workspace w WHERE w.id = $1) AS generation
     FROM workspace_group g WHERE g.workspace_id = $1 ORDER BY g.id`,
    [workspace.uuid],
  );

describe('a move', () => {
  it('is shown by a dry run, person by person, and done the same', async () => {
    const before = await snapshot();
    const path = `/groups/${groups.leaf}`;
    const shown = await send('PATCH', `${path}?dry_run=true`, { parent: groups.b });
    expect(shown).toMatchObject({
      status: 200,
      body: {
        group: { parent: groups.b },
        effect: { people_affected: 2, service_accounts_affected: 1 },
      },
    });
    expect(brief(shown.body.effect)).toEqual({
      [people.ann]: [['b'], ['a']],
      [people.bob]: [['b'], []],
      [people.robot]: [['b'], ['a']],
    });
    expect(await snapshot()).toEqual(before);
    const done = await send('PATCH', path, { parent: groups.b });
    expect(done.body.effect).toEqual(shown.body.effect);
    const ann = (await send('GET', `/members/${people.ann}`)).body;
    expect(names(ann.effective_groups)).toEqual(['WorkspaceMembers', 'b', 'leaf']);
    const robot = (await send('GET', `/service-accounts/${people.robot}`)).body;
    expect(names(robot.effective_groups)).toEqual(['WorkspaceMembers', 'b', 'leaf']);
  });

  it('tells the roles that come and go with the groups, but not those that have expired', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    await send('POST', '/role-assignments', { group: groups.a, preset_role: 'workspace-viewer' });
    const { id: project } = (await send('POST', '/projects', { name: 'web' })).body.project;
    const roles = `/projects/${project}/roles`;
    const role = (await send('POST', roles, { name: 'reader', rules })).body.project_role.id;
    const grant = { group: groups.b, project, project_role: role };
    await send('POST', '/role-assignments', grant);
    await send('POST', '/role-assignments', { group: groups.b, preset_role: 'workspace-admin' });
    await api.database.query(
      `UPDATE role_assignment SET expires_at = now() - interval '1 minute'
       WHERE workspace_id = $1 AND preset_role = 'workspace-admin' AND NOT preset`,
      [workspace.uuid],
    );
    const path = `/groups/${groups.leaf}?dry_run=true`;
    const { effect } = (await send('PATCH', path, { parent: groups.b })).body;
    const ann = effect.affected.find((each: { id: string }) => each.id === people.ann);
    expect(ann.roles_gained).toMatchObject([
      { group: groups.b, project, project_name: 'web', role: 'reader', preset: false },
    ]);
    expect(ann.roles_lost).toMatchObject([
      { group: groups.a, project: null, role: 'workspace-viewer', preset: true },
    ]);
    const bob = effect.affected.find((each: { id: string }) => each.id === people.bob);
    expect(bob).toMatchObject({ kind: 'person', roles_lost: [] });
  });

  it('doesn’t tell of memberships that have expired', async () => {
    await api.database.query(
      `UPDATE group_member SET expires_at = now() - interval '1 minute'
       WHERE workspace_id = $1 AND person_id IN (SELECT person_id FROM identity WHERE subject LIKE 'ann-%')`,
      [workspace.uuid],
    );
    const path = `/groups/${groups.leaf}?dry_run=true`;
    const { effect } = (await send('PATCH', path, { parent: groups.b })).body;
    expect(effect.people_affected).toBe(1);
    expect(brief(effect)).not.toHaveProperty(people.ann);
  });

  it('names a hundred of many, and counts all', async () => {
    const members = Array.from({ length: 150 }, (_, i) => `p${i}`);
    await send('POST', '/imports', {
      connector: 'local',
      groups: [{ name: 'crowd', parent: 'a', members }],
    });
    const [crowd] = (await send('GET', '/groups?name=crowd')).body.items;
    const path = `/groups/${crowd.id}?dry_run=true`;
    const { effect } = (await send('PATCH', path, { parent: groups.b })).body;
    expect(effect.people_affected).toBe(150);
    expect(effect.affected).toHaveLength(100);
  });

  it('that is refused is refused in a dry run as well', async () => {
    const path = `/groups/${groups.a}?dry_run=true`;
    expect((await send('PATCH', path, { parent: groups.leaf })).status).toBe(422);
    const preset = `/groups/${workspace.groups['WSUsers']}?dry_run=true`;
    expect((await send('PATCH', preset, { parent: groups.a })).status).toBe(409);
    expect((await send('DELETE', preset)).status).toBe(409);
  });
});

describe('a deletion', () => {
  it('is shown by a dry run, also when it would start a task, and done the same', async () => {
    const grant = { group: groups.leaf, preset_role: 'workspace-viewer' };
    await send('POST', '/role-assignments', grant);
    const before = await snapshot();
    const path = `/groups/${groups.leaf}`;
    const shown = await send('DELETE', `${path}?dry_run=true`);
    expect(shown).toMatchObject({
      status: 200,
      body: { task: null, effect: { people_affected: 2, service_accounts_affected: 1 } },
    });
    expect(brief(shown.body.effect)).toEqual({
      [people.ann]: [[], ['WorkspaceMembers', 'a', 'leaf']],
      [people.bob]: [[], ['leaf']],
      [people.robot]: [[], ['WorkspaceMembers', 'a', 'leaf']],
    });
    expect(shown.body.effect.affected[0].roles_lost).toMatchObject([{ role: 'workspace-viewer' }]);
    expect(await snapshot()).toEqual(before);
    const done = await send('DELETE', path);
    expect(done).toMatchObject({ status: 202, body: { effect: shown.body.effect } });
  });
});

describe('an entity tag', () => {
  it('guards a group against a change on an old reading', async () => {
    const path = `${workspace.path}/groups/${groups.a}`;
    const first = (await admin.call('GET', path)).headers.get('ETag') ?? '';
    expect(first).toMatch(/^"\d+"$/);
    const patch = (name: string, tag?: string) =>
      admin.call('PATCH', path, { display_name: name }, tag ? { 'If-Match': tag } : {});
    expect((await patch('none')).status).toBe(428);
    const changed = await patch('one', first);
    expect(changed.status).toBe(200);
    expect(await patch('two', first)).toMatchObject({ status: 412 });
    const second = changed.headers.get('ETag') ?? '';
    expect(second).not.toBe(first);
    expect((await patch('two', second)).body.group.display_name).toBe('two');
  });
});
