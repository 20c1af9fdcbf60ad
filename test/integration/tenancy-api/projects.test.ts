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

const createProject = async (name: string): Promise<string> => {
  const answer = await admin.call('POST', projects, { name });
  expect(answer.status).toBe(202);
  return answer.body.project.id;
};

const RULES = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];

const createRole = async (project: string, name = 'reader'): Promise<string> => {
  const answer = await admin.call('POST', `${projects}/${project}/roles`, { name, rules: RULES });
  expect(answer.status).toBe(202);
  return answer.body.project_role.id;
};

const generation = async (): Promise<number> =>
  (await admin.call('GET', workspace.path)).body.generation;

describe('projects', () => {
  it('are made by a task of the next generation, read, listed and deleted', async () => {
    const before = await generation();
    const created = await admin.call('POST', projects, {
      name: 'web',
      display_name: 'Web',
      quota: { pods: '5', 'requests.cpu': '500m' },
    });
    expect(created).toMatchObject({
      status: 202,
      body: {
        project: { name: 'web', display_name: 'Web', quota: { pods: '5', 'requests.cpu': '500m' } },
        task: { kind: 'project.create', state: 'pending' },
      },
    });
    expect(await generation()).toBe(before + 1);
    const path = `${projects}/${created.body.project.id}`;
    expect((await admin.call('GET', path)).body).toEqual(created.body.project);
    expect((await admin.call('GET', projects)).body.items).toEqual([created.body.project]);

    expect((await admin.call('DELETE', path)).status).toBe(422);
    const wrong = await admin.call('DELETE', `${path}?confirm=other`);
    expect(wrong).toMatchObject({ status: 422, body: { errors: [{ parameter: 'confirm' }] } });
    expect((await admin.call('GET', path)).status).toBe(200);
    const deleted = await admin.call('DELETE', `${path}?confirm=web`);
    expect(deleted).toMatchObject({ status: 202, body: { task: { kind: 'project.delete' } } });
    expect((await admin.call('GET', path)).status).toBe(404);
    expect(await generation()).toBe(before + 2);
  });

  it.each(['default', 'kube-system', 'hexabase-x', '../x', 'A', 'a_b', 'x'.repeat(64), 'аpp', ''])(
    'can’t be called %j',
    async (name) => {
      const answer = await admin.call('POST', projects, { name });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/name' }] } });
    },
  );

  it('have one name each', async () => {
    await createProject('web');
    expect((await admin.call('POST', projects, { name: 'web' })).status).toBe(409);
  });

  it('stay within the plan: its quota and its number', async () => {
    const refusals = [
      [{ pods: '21' }, '#/quota/pods'],
      [{ 'requests.nvidia.com/gpu': '1' }, '#/quota/requests.nvidia.com~1gpu'],
      [{ 'limits.memory': '8193Mi' }, '#/quota/limits.memory'],
    ] as const;
    for (const [quota, pointer] of refusals) {
      const answer = await admin.call('POST', projects, { name: 'web', quota });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
    }
    for (const quantity of ['lots', '-1', '1.2.3', '', 5, '500m']) {
      const answer = await admin.call('POST', projects, { name: 'web', quota: { pods: quantity } });
      expect(answer).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '#/quota/pods' }] },
      });
    }
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) => admin.call('POST', projects, { name: `p${i}` })),
    );
    const statuses = made.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(10);
    expect(statuses.filter((status) => status === 409)).toHaveLength(2);
  });
});

describe('project roles', () => {
  it('are made, read, listed, changed and deleted, each by a task', async () => {
    const project = await createProject('web');
    const roles = `${projects}/${project}/roles`;
    const created = await admin.call('POST', roles, { name: 'reader', rules: RULES });
    expect(created).toMatchObject({
      status: 202,
      body: { project_role: { project, rules: RULES }, task: { kind: 'project-role.create' } },
    });
    const path = `${roles}/${created.body.project_role.id}`;
    expect((await admin.call('GET', path)).body).toEqual(created.body.project_role);
    expect((await admin.call('GET', roles)).body.items).toEqual([created.body.project_role]);
    expect((await admin.call('POST', roles, { name: 'reader', rules: RULES })).status).toBe(409);
    const rules = [
      {
        apiGroups: ['apps'],
        resources: ['deployments/scale'],
        verbs: ['patch'],
        resourceNames: ['a'],
      },
    ];
    const changed = await admin.call('PATCH', path, { rules });
    expect(changed).toMatchObject({
      status: 202,
      body: { project_role: { rules }, task: { kind: 'project-role.update' } },
    });
    expect((await admin.call('DELETE', path)).body.task.kind).toBe('project-role.delete');
    expect((await admin.call('GET', path)).status).toBe(404);
  });

  it('refuse forbidden verbs, groups and resources when made and when changed, each by its place', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
    const rules = [
      ...RULES,
      {
        apiGroups: ['', 'rbac.authorization.k8s.io', '*'],
        resources: ['pods', 'serviceaccounts/token', 'nodes', '*'],
        verbs: ['*', 'escalate', 'bind', 'impersonate', 'get'],
      },
    ];
    const roles = `${projects}/${project}/roles`;
    const refused = [
      await admin.call('POST', roles, { name: 'bad', rules }),
      await admin.call('PATCH', `${roles}/${role}`, { rules }),
    ];
    for (const answer of refused) {
      expect(answer.status).toBe(422);
      expect(answer.body.errors.map((each: { pointer: string }) => each.pointer)).toEqual([
        '#/rules/1/verbs/0',
        '#/rules/1/verbs/1',
        '#/rules/1/verbs/2',
        '#/rules/1/verbs/3',
        '#/rules/1/apiGroups/1',
        '#/rules/1/apiGroups/2',
        '#/rules/1/resources/1',
        '#/rules/1/resources/2',
        '#/rules/1/resources/3',
      ]);
    }
    expect((await admin.call('GET', `${roles}/${role}`)).body.rules).toEqual(RULES);
  });

  it('refuse what isn’t a list of namespaced rules', async () => {
    const project = await createProject('web');
    const bad = [
      { name: 'x', rules: [] },
      { name: 'x', rules: [{ nonResourceURLs: ['*'], verbs: ['get'] }] },
      { name: 'X', rules: RULES },
      { name: 'x', rules: [{ ...RULES[0], verbs: [] }] },
      { name: 'x', rules: Array.from({ length: 101 }, () => RULES[0]) },
      { name: 'x' },
    ];
    for (const body of bad) {
      expect((await admin.call('POST', `${projects}/${project}/roles`, body)).status).toBe(400);
    }
  });

  it('are found in their own project alone', async () => {
    const [web, db] = [await createProject('web'), await createProject('db')];
    const role = await createRole(web);
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { rules: RULES }]] as const) {
      const answer = await admin.call(method, `${projects}/${db}/roles/${role}`, body);
      expect(answer.status).toBe(404);
    }
  });
});

describe('role assignments', () => {
  const assign = (body: unknown) => admin.call('POST', `${workspace.path}/role-assignments`, body);

  it('give a project role or a preset, once, and take it again', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
    const group = workspace.groups['WSUsers'];
    const given = await assign({ group, project, project_role: role });
    expect(given).toMatchObject({
      status: 202,
      body: {
        role_assignment: { group, project, project_role: role, preset_role: null, preset: false },
        task: { kind: 'role-assignment.create' },
      },
    });
    expect((await assign({ group, project, project_role: role })).status).toBe(409);
    expect((await assign({ group, project, preset_role: 'workspace-admin' })).status).toBe(202);
    expect((await assign({ group, preset_role: 'workspace-viewer' })).status).toBe(202);

    const list = (query: string) =>
      admin.call('GET', `${workspace.path}/role-assignments?${query}`).then((a) => a.body.items);
    expect(await list('')).toHaveLength(4);
    expect(await list(`group=${group}`)).toHaveLength(3);
    expect(await list(`project=${project}`)).toHaveLength(2);
    expect(await list(`project=${formatId('project', createId())}`)).toEqual([]);

    const path = `${workspace.path}/role-assignments/${given.body.role_assignment.id}`;
    const taken = await admin.call('DELETE', path);
    expect(taken).toMatchObject({
      status: 202,
      body: { task: { kind: 'role-assignment.delete' } },
    });
    expect((await admin.call('DELETE', path)).status).toBe(404);
    expect((await assign({ group, project, project_role: role })).status).toBe(202);
  });

  it('go with the role and with the project', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
    const group = workspace.groups['WSUsers'];
    await assign({ group, project, project_role: role });
    await assign({ group, project, preset_role: 'workspace-viewer' });
    const count = async () =>
      (await admin.call('GET', `${workspace.path}/role-assignments?group=${group}`)).body.items
        .length;
    await admin.call('DELETE', `${projects}/${project}/roles/${role}`);
    expect(await count()).toBe(1);
    await admin.call('DELETE', `${projects}/${project}?confirm=web`);
    expect(await count()).toBe(0);
  });

  it('refuse a role of another project, and what is not in the workspace', async () => {
    const [web, db] = [await createProject('web'), await createProject('db')];
    const role = await createRole(web);
    const group = workspace.groups['WSUsers'];
    const crossed = await assign({ group, project: db, project_role: role });
    expect(crossed).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('another project') },
    });
    const other = await api.createWorkspace(admin);
    const refusals = [
      [{ group: other.groups['WSUsers'], preset_role: 'workspace-viewer' }, '#/group'],
      [{ group: 'x', preset_role: 'workspace-viewer' }, '#/group'],
      [{ group, project: 'x', preset_role: 'workspace-viewer' }, '#/project'],
      [
        { group, project: web, project_role: formatId('projectRole', createId()) },
        '#/project_role',
      ],
      [{ group, project: web, project_role: web }, '#/project_role'],
    ] as const;
    for (const [body, pointer] of refusals) {
      expect(await assign(body)).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
    }
    const bad = [
      { group },
      { group, project: web, project_role: role, preset_role: 'workspace-admin' },
      { group, project_role: role },
      { group, preset_role: 'cluster-admin' },
      { group, preset_role: 'workspace-admin', preset: true },
    ];
    for (const body of bad) expect((await assign(body)).status).toBe(400);
  });

  it('keep WSAdmins what they are', async () => {
    const list = await admin.call('GET', `${workspace.path}/role-assignments`);
    const path = `${workspace.path}/role-assignments/${list.body.items[0].id}`;
    expect((await admin.call('DELETE', path)).status).toBe(409);
    expect((await admin.call('GET', `${workspace.path}/role-assignments`)).body.items).toHaveLength(
      1,
    );
  });
});
