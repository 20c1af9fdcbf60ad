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
let project: string;
let roles: string;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  project = await createProject('web');
  roles = `${workspace.path}/projects/${project}/roles`;
});

const ANY = { 'If-Match': '*' };
const RULES = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];

const createProject = async (name: string): Promise<string> =>
  (await admin.call('POST', `${workspace.path}/projects`, { name })).body.project.id;

const createRole = async (): Promise<string> => {
  const answer = await admin.call('POST', roles, { name: 'reader', rules: RULES });
  expect(answer.status).toBe(202);
  return answer.body.project_role.id;
};

describe('project roles', () => {
  it('are made, read, listed, changed and deleted, each by a task', async () => {
    const created = await admin.call('POST', roles, { name: 'reader', rules: RULES });
    expect(created).toMatchObject({
      status: 202,
      body: { project_role: { project, rules: RULES }, task: { kind: 'project-role.create' } },
    });
    expect(created.headers.get('ETag')).toBe('"1"');
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
    const changed = await admin.call('PATCH', path, { rules }, ANY);
    expect(changed).toMatchObject({
      status: 202,
      body: { project_role: { rules }, task: { kind: 'project-role.update' } },
    });
    expect((await admin.call('DELETE', path)).body.task.kind).toBe('project-role.delete');
    expect((await admin.call('GET', path)).status).toBe(404);
  });

  it('change on what their caller has seen of them', async () => {
    const path = `${roles}/${await createRole()}`;
    const [first, second] = [['get'], ['list']].map((verbs) => ({
      rules: [{ ...RULES[0], verbs }],
    }));
    expect((await admin.call('PATCH', path, first)).status).toBe(428);
    const { headers } = await admin.call('GET', path);
    const seen = { 'If-Match': headers.get('ETag') ?? '' };
    const changed = await admin.call('PATCH', path, first, seen);
    expect(changed.status).toBe(202);
    expect(changed.headers.get('ETag')).toBe('"2"');
    expect((await admin.call('PATCH', path, second, seen)).status).toBe(412);
    expect((await admin.call('GET', path)).body.rules).toEqual(first?.rules);
  });

  it('are found in their own project alone', async () => {
    const role = await createRole();
    const db = await createProject('db');
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { rules: RULES }]] as const) {
      const path = `${workspace.path}/projects/${db}/roles/${role}`;
      expect((await admin.call(method, path, body, ANY)).status).toBe(404);
    }
  });
});

describe('rules', () => {
  it('that are forbidden are refused when a role is made and when it changes, each by its place', async () => {
    const role = await createRole();
    const rules = [
      ...RULES,
      {
        apiGroups: ['', 'rbac.authorization.k8s.io', '*'],
        resources: ['pods', 'serviceaccounts/token', 'nodes', '*'],
        verbs: ['*', 'escalate', 'bind', 'impersonate', 'get'],
      },
    ];
    const refused = [
      await admin.call('POST', roles, { name: 'bad', rules }),
      await admin.call('PATCH', `${roles}/${role}`, { rules }, ANY),
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

  it('are a list, and namespaced', async () => {
    const bad = [
      { name: 'x', rules: [] },
      { name: 'x', rules: [{ nonResourceURLs: ['*'], verbs: ['get'] }] },
      { name: 'X', rules: RULES },
      { name: 'x.web', rules: RULES },
      { name: 'x', rules: [{ ...RULES[0], verbs: [] }] },
      { name: 'x', rules: [{ ...RULES[0], resourceNames: ['a\u0000b'] }] },
      { name: 'x', rules: Array.from({ length: 101 }, () => RULES[0]) },
      { name: 'x' },
    ];
    for (const body of bad) expect((await admin.call('POST', roles, body)).status).toBe(400);
  });
});

describe('templates', () => {
  it('are everyone’s to read, and each makes a role as it is', async () => {
    const stranger = await api.signUp('stranger');
    const { body } = await stranger.call('GET', '/v1/project-role-templates');
    expect(body.items.length).toBeGreaterThan(3);
    expect(body.next_cursor).toBeNull();
    for (const { name, rules } of body.items) {
      const made = await admin.call('POST', roles, { name, rules });
      expect(made).toMatchObject({ status: 202, body: { project_role: { name, rules } } });
    }
    expect((await api.call(null, 'GET', '/v1/project-role-templates')).status).toBe(401);
  });
});
