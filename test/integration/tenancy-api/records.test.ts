import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
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

type Recorded = { action: string; actor_id: string; request_id: string; transaction: string };

/** What was recorded for the workspace, oldest first; `xmin` is the transaction that wrote the row. */
const recorded = async () => {
  const events = await api.database.query<Recorded>(
    `SELECT action, actor_id, request_id, target_id, before, after, ip::text, xmin::text AS transaction
     FROM audit_event WHERE workspace_id = $1 ORDER BY id`,
    [workspace.uuid],
  );
  const outbox = await api.database.query<{ kind: string; transaction: string }>(
    `SELECT kind, payload, xmin::text AS transaction FROM outbox WHERE workspace_id = $1 ORDER BY id`,
    [workspace.uuid],
  );
  const tasks = await api.database.query<{ kind: string; transaction: string }>(
    `SELECT kind, generation, xmin::text AS transaction FROM task WHERE workspace_id = $1 ORDER BY id`,
    [workspace.uuid],
  );
  return { events, outbox, tasks };
};

/** Everything a person can do to a workspace, in an order that works. */
const doEverything = async (): Promise<string[]> => {
  const { path, groups } = workspace;
  const post = (route: string, body: unknown) => admin.call('POST', `${path}${route}`, body);
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const group = (await post('/groups', { name: 'a' })).body.id;
  const now = { 'If-Match': '*' };
  await admin.call('PATCH', `${path}/groups/${group}`, { parent: groups['WSUsers'] }, now);
  await admin.call('PATCH', `${path}/groups/${group}`, { display_name: 'A' }, now);
  const identity = { connector: 'local', subject: `ann-${workspace.id}` };
  const { id: person } = (await post(`/groups/${group}/members`, identity)).body.member;
  await admin.call('DELETE', `${path}/groups/${group}/members/${person}`);
  await admin.call('PUT', `${path}/groups/${group}/members/${person}`);
  await admin.call('DELETE', `${path}/members/${person}`);
  await post('/imports', { connector: 'local', groups: [{ name: 'b', parent: null }] });
  const project = (await post('/projects', { name: 'web' })).body.project.id;
  await admin.call('PATCH', `${path}/projects/${project}`, { quota: { pods: '5' } }, now);
  const role = (await post(`/projects/${project}/roles`, { name: 'r', rules })).body.project_role
    .id;
  await admin.call('PATCH', `${path}/projects/${project}/roles/${role}`, { rules }, now);
  const grant = { group, project, project_role: role };
  const assignment = (await post('/role-assignments', grant)).body.role_assignment.id;
  await admin.call('DELETE', `${path}/role-assignments/${assignment}`);
  await admin.call('DELETE', `${path}/projects/${project}/roles/${role}`);
  await admin.call('DELETE', `${path}/projects/${project}?confirm=web`);
  await admin.call('DELETE', `${path}/groups/${group}`);
  return [
    'workspace.create',
    'group.create',
    'group.move',
    'group.rename',
    'group-member.add',
    'group-member.remove',
    'group-member.add',
    'member.remove',
    'workspace.import',
    'project.create',
    'project.update',
    'project-role.create',
    'project-role.update',
    'role-assignment.create',
    'role-assignment.delete',
    'project-role.delete',
    'project.delete',
    'group.delete',
  ];
};

describe('every change', () => {
  it('has an audit event and an outbox row of its own transaction, and a task where a cluster is concerned', async () => {
    const actions = await doEverything();
    const { events, outbox, tasks } = await recorded();
    expect(events.map((event) => event.action)).toEqual(actions);
    expect(outbox.map((row) => row.kind)).toEqual(actions);
    expect(outbox.map((row) => row.transaction)).toEqual(events.map((event) => event.transaction));
    const ofCluster = actions.filter((action) =>
      /^(project|role-assignment|workspace\.create)/.test(action),
    );
    expect(tasks.map((task) => task.kind)).toEqual(ofCluster);
    expect(tasks.map((task) => Number((task as { generation?: string }).generation))).toEqual(
      ofCluster.map((_, index) => index + 1),
    );
    for (const event of events) {
      expect(event).toMatchObject({ actor_id: admin.id, ip: expect.stringContaining('127.0.0.1') });
      expect(event.request_id).toBeTruthy();
    }
  });

  it('carries the caller’s request id and what was before and after', async () => {
    const headers = { 'X-Request-Id': 'trace-42' };
    const created = await admin.call('POST', `${workspace.path}/groups`, { name: 'a' }, headers);
    const path = `${workspace.path}/groups/${created.body.id}`;
    await admin.call('PATCH', path, { display_name: 'B' }, { 'If-Match': '*' });
    const { events, outbox } = await recorded();
    expect(events.at(1)).toMatchObject({ request_id: 'trace-42', before: null });
    expect(events.at(2)).toMatchObject({
      before: { display_name: 'a' },
      after: { display_name: 'B' },
    });
    expect(outbox.at(1)).toMatchObject({ payload: { actor: formatId('person', admin.id) } });
  });
});

describe('a refused change, and one that changes nothing', () => {
  it('records nothing', async () => {
    const { path, groups } = workspace;
    const project = (await admin.call('POST', `${path}/projects`, { name: 'web' })).body.project.id;
    const users = `${path}/groups/${groups['WSUsers']}`;
    await admin.call('PUT', `${users}/members/${admin.person}`);
    const before = await recorded();
    const generation = (await admin.call('GET', path)).body.generation;
    const attempts = [
      ['POST', `${path}/groups`, { name: 'wsusers' }],
      ['POST', `${path}/groups`, { name: 'x', parent: 'y' }],
      ['DELETE', users],
      ['PATCH', users, { display_name: 'x' }],
      ['DELETE', `${path}/members/${admin.person}`],
      ['DELETE', `${path}/groups/${groups['WSAdmins']}/members/${admin.person}`],
      ['POST', `${path}/projects`, { name: 'web' }],
      ['POST', `${path}/projects`, { name: 'big', quota: { pods: '999' } }],
      ['DELETE', `${path}/projects/${project}?confirm=no`],
      [
        'POST',
        `${path}/projects/${project}/roles`,
        { name: 'r', rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] },
      ],
      [
        'POST',
        `${path}/role-assignments`,
        { group: groups['WSAdmins'], preset_role: 'workspace-admin' },
      ],
      [
        'POST',
        `${path}/imports`,
        { connector: 'c', groups: [{ name: 'x', parent: 'x', members: ['p'] }] },
      ],
    ] as const;
    for (const [method, route, body] of attempts) {
      const answer = await admin.call(method, route, body, { 'If-Match': '*' });
      expect(answer.status, `${method} ${route}`).toBeGreaterThanOrEqual(400);
      expect(answer.status, `${method} ${route}`).toBeLessThan(500);
    }
    expect((await admin.call('PUT', `${users}/members/${admin.person}`)).status).toBe(200);
    expect(await recorded()).toEqual(before);
    expect((await admin.call('GET', path)).body.generation).toBe(generation);
    const left = await api.database.query(`SELECT FROM identity WHERE connector = 'c'`);
    expect(left).toEqual([]);
  });
});
