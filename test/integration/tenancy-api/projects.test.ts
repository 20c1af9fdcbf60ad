import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

const create = async (name: string): Promise<string> => {
  const answer = await admin.call('POST', projects, { name });
  expect(answer.status).toBe(202);
  return answer.body.project.id;
};

const patch = (project: string, body: unknown, ifMatch = '*', query = ''): Promise<Answer> =>
  admin.call('PATCH', `${projects}/${project}${query}`, body, { 'If-Match': ifMatch });

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
        project: {
          name: 'web',
          display_name: 'Web',
          parent: null,
          quota: { pods: '5', 'requests.cpu': '500m' },
        },
        task: { kind: 'project.create', state: 'pending' },
      },
    });
    expect(created.headers.get('ETag')).toBe('"1"');
    expect(await generation()).toBe(before + 1);
    const path = `${projects}/${created.body.project.id}`;
    const read = await admin.call('GET', path);
    expect(read.body).toEqual(created.body.project);
    expect(read.headers.get('ETag')).toBe('"1"');
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

  it.each([
    'default',
    'kube-system',
    'hexabase-x',
    'openshift',
    '../x',
    'A',
    'a_b',
    'a.b',
    'x'.repeat(64),
    'аpp',
    '',
  ])('can’t be called %j', async (name) => {
    const answer = await admin.call('POST', projects, { name });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/name' }] } });
  });

  it('have one name each, by which they are found', async () => {
    const web = await create('web');
    await create('db');
    expect((await admin.call('POST', projects, { name: 'web' })).status).toBe(409);
    const found = await admin.call('GET', `${projects}?name=web`);
    expect(found.body.items.map((each: { id: string }) => each.id)).toEqual([web]);
    expect((await admin.call('GET', `${projects}?name=none`)).body.items).toEqual([]);
    expect((await admin.call('GET', `${projects}?name=%00`)).status).toBe(400);
  });
});

describe('the plan', () => {
  const refusals = [
    [{ pods: '21' }, '#/quota/pods', 'At most 20.'],
    [{ 'requests.nvidia.com/gpu': '1' }, '#/quota/requests.nvidia.com~1gpu', 'no limit'],
    [{ 'limits.memory': '8193Mi' }, '#/quota/limits.memory', 'At most 8Gi.'],
  ] as const;
  it.each(refusals)('bounds the quota %j', async (quota, pointer, detail) => {
    const web = await create('web');
    const refused = [
      await admin.call('POST', projects, { name: 'big', quota }),
      await patch(web, { quota }),
    ];
    for (const answer of refused) {
      expect(answer).toMatchObject({
        status: 422,
        body: { errors: [{ pointer, detail: expect.stringContaining(detail) }] },
      });
    }
    expect((await admin.call('GET', `${projects}/${web}`)).body.quota).toBeNull();
  });

  it('takes quantities of Kubernetes only', async () => {
    for (const quantity of ['lots', '-1', '1.2.3', '', 5, '500m']) {
      const answer = await admin.call('POST', projects, { name: 'web', quota: { pods: quantity } });
      expect(answer).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '#/quota/pods' }] },
      });
    }
  });

  it('bounds how many there are, also when they are made at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) => admin.call('POST', projects, { name: `p${i}` })),
    );
    const statuses = made.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(10);
    expect(statuses.filter((status) => status === 409)).toHaveLength(2);
  });
});

describe('a change of a project', () => {
  it('of its name for people needs no task', async () => {
    const web = await create('web');
    const before = await generation();
    const changed = await patch(web, { display_name: 'The web' });
    expect(changed).toMatchObject({
      status: 200,
      body: { project: { display_name: 'The web' }, move: null, task: null },
    });
    expect(await generation()).toBe(before);
  });

  it('of its quota is a task, and null gives it the plan’s again', async () => {
    const web = await create('web');
    const before = await generation();
    const limited = await patch(web, { quota: { pods: '5' } });
    expect(limited).toMatchObject({
      status: 202,
      body: { project: { quota: { pods: '5' } }, task: { kind: 'project.update' } },
    });
    expect(limited.headers.get('Location')).toBe(`/v1/tasks/${limited.body.task.id}`);
    expect((await patch(web, { quota: null })).body.project.quota).toBeNull();
    expect(await generation()).toBe(before + 2);
    expect((await admin.call('GET', `${projects}/${web}`)).body.quota).toBeNull();
  });

  it('is made on what its caller has seen', async () => {
    const web = await create('web');
    const path = `${projects}/${web}`;
    const unconditional = await admin.call('PATCH', path, { display_name: 'x' });
    expect(unconditional.status).toBe(428);
    const first = await patch(web, { display_name: 'first' }, '"1"');
    expect(first.headers.get('ETag')).toBe('"2"');
    const late = await patch(web, { display_name: 'late' }, '"1"');
    expect(late.status).toBe(412);
    expect(late.headers.get('ETag')).toBe('"2"');
    expect((await admin.call('GET', path)).body.display_name).toBe('first');
  });

  it('that is none leaves the version as it is', async () => {
    const web = await create('web');
    const same = await patch(web, { display_name: 'web', quota: null, parent: null });
    expect(same).toMatchObject({ status: 200, body: { move: null, task: null } });
    expect(same.headers.get('ETag')).toBe('"1"');
  });

  it('takes known fields only, and at least one', async () => {
    const web = await create('web');
    for (const body of [{}, { name: 'other' }, { display_name: '' }, { quota: 5 }]) {
      expect((await patch(web, body)).status).toBe(400);
    }
  });

  it('can be looked at before it is made', async () => {
    const web = await create('web');
    const before = await generation();
    const seen = await patch(web, { quota: { pods: '5' } }, '*', '?dry_run=true');
    expect(seen).toMatchObject({
      status: 200,
      body: { project: { quota: { pods: '5' } }, task: null },
    });
    expect(seen.headers.get('ETag')).toBeNull();
    expect((await admin.call('GET', `${projects}/${web}`)).body.quota).toBeNull();
    expect(await generation()).toBe(before);
  });
});

describe('a deletion', () => {
  it('says beforehand and afterwards what goes', async () => {
    const web = await create('web');
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    await admin.call('POST', `${projects}/${web}/roles`, { name: 'r', rules });
    const group = workspace.groups['WSUsers'];
    const grant = { group, project: web, preset_role: 'workspace-viewer' };
    await admin.call('POST', `${workspace.path}/role-assignments`, grant);
    const contents = { roles: 1, role_assignments: 1 };
    const path = `${projects}/${web}`;
    const seen = await admin.call('DELETE', `${path}?dry_run=true`);
    expect(seen).toMatchObject({
      status: 200,
      body: { project: { id: web }, contents, task: null },
    });
    expect((await admin.call('GET', path)).status).toBe(200);
    const done = await admin.call('DELETE', `${path}?confirm=web`);
    expect(done).toMatchObject({ status: 202, body: { contents } });
  });
});
