import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId, type IdentifierKind, parseId } from '#domain/identifiers.ts';
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
let assignments: string;
let group: string;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  assignments = `${workspace.path}/role-assignments`;
  group = workspace.groups['WSUsers'] ?? '';
});

const RULES = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
const SOON = '2099-01-31T17:00:00.000Z';

const createProject = async (name: string): Promise<string> =>
  (await admin.call('POST', `${workspace.path}/projects`, { name })).body.project.id;
const createRole = async (project: string): Promise<string> => {
  const path = `${workspace.path}/projects/${project}/roles`;
  return (await admin.call('POST', path, { name: 'reader', rules: RULES })).body.project_role.id;
};
const unknown = (kind: IdentifierKind) => formatId(kind, createId());
const assign = (body: unknown): Promise<Answer> => admin.call('POST', assignments, body);
const list = async (query = '') => (await admin.call('GET', `${assignments}?${query}`)).body.items;
const patch = (path: string, body: unknown, ifMatch = '*') =>
  admin.call('PATCH', path, body, { 'If-Match': ifMatch });
/** Lets an assignment's time be over. */
const expire = (assignment: string) =>
  api.database.query(
    `UPDATE role_assignment SET expires_at = now() - interval '1 second' WHERE id = $1`,
    [parseId('roleAssignment', assignment)],
  );

describe('role assignments', () => {
  it('give a project role or a preset, once, and take it again', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
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

    const path = `${assignments}/${given.body.role_assignment.id}`;
    const read = await admin.call('GET', path);
    expect(read.body).toEqual(given.body.role_assignment);
    expect(read.headers.get('ETag')).toBe(given.headers.get('ETag'));
    const taken = await admin.call('DELETE', path);
    expect(taken).toMatchObject({
      status: 202,
      body: { task: { kind: 'role-assignment.delete' } },
    });
    expect((await admin.call('DELETE', path)).status).toBe(404);
    expect((await admin.call('GET', path)).status).toBe(404);
    expect((await assign({ group, project, project_role: role })).status).toBe(202);
  });

  it('are found by group, project and role', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
    await assign({ group, project, project_role: role });
    await assign({ group, project, preset_role: 'workspace-admin' });
    await assign({ group, preset_role: 'workspace-viewer' });
    expect(await list()).toHaveLength(4);
    expect(await list(`group=${group}`)).toHaveLength(3);
    expect(await list(`project=${project}`)).toHaveLength(2);
    expect(await list(`project_role=${role}`)).toMatchObject([{ project_role: role }]);
    expect(await list('preset_role=workspace-admin')).toHaveLength(2);
    expect(await list(`preset_role=workspace-admin&project=${project}`)).toHaveLength(1);
    expect(await list(`project=${formatId('project', createId())}`)).toEqual([]);
    const bad = ['project=web', 'preset_role=cluster-admin', 'inherited=true', 'inherited=1'];
    for (const query of bad) {
      const answer = await admin.call('GET', `${assignments}?${query}`);
      const [parameter] = query.split('=');
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter }] } });
    }
  });

  it('go with the role and with the project', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
    await assign({ group, project, project_role: role });
    await assign({ group, project, preset_role: 'workspace-viewer' });
    await admin.call('DELETE', `${workspace.path}/projects/${project}/roles/${role}`);
    expect(await list(`group=${group}`)).toHaveLength(1);
    await admin.call('DELETE', `${workspace.path}/projects/${project}?confirm=web`);
    expect(await list(`group=${group}`)).toEqual([]);
  });

  it('refuse a role of another project, and what is not in the workspace', async () => {
    const [web, db] = [await createProject('web'), await createProject('db')];
    const role = await createRole(web);
    const crossed = await assign({ group, project: db, project_role: role });
    expect(crossed).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('another project') },
    });
    const other = await api.createWorkspace(admin);
    const refusals = [
      [{ group: other.groups['WSUsers'], preset_role: 'workspace-viewer' }, '#/group'],
      [{ group: unknown('group'), preset_role: 'workspace-viewer' }, '#/group'],
      [{ group, project: unknown('project'), preset_role: 'workspace-viewer' }, '#/project'],
      [{ group, project: web, project_role: unknown('projectRole') }, '#/project_role'],
    ] as const;
    for (const [body, pointer] of refusals) {
      expect(await assign(body)).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
    }
    const bad = [
      { group },
      { group: 'x', preset_role: 'workspace-viewer' },
      { group, project: web, project_role: web },
      { group, project: web, project_role: role, preset_role: 'workspace-admin' },
      { group, project_role: role },
      { group, preset_role: 'cluster-admin' },
      { group, preset_role: 'workspace-admin', preset: true },
      { group, preset_role: 'workspace-admin', created_by: admin.person },
    ];
    for (const body of bad) expect((await assign(body)).status).toBe(400);
  });

  it('keep WSAdmins what they are', async () => {
    const [{ id }] = await list();
    const path = `${assignments}/${id}`;
    expect(await list()).toMatchObject([{ preset: true, created_by: null, expires_at: null }]);
    expect((await admin.call('DELETE', path)).status).toBe(409);
    expect((await patch(path, { expires_at: SOON })).status).toBe(409);
    await expect(expire(id)).rejects.toThrow('role_assignment__expires_at__check');
    expect(await list()).toHaveLength(1);
  });
});

describe('who gave a role, and why', () => {
  it('is shown, and the reason can change', async () => {
    const given = await assign({ group, preset_role: 'workspace-viewer', reason: ' an audit ' });
    expect(given.body.role_assignment).toMatchObject({
      reason: 'an audit',
      created_by: { id: admin.person, display_name: 'admin' },
    });
    const path = `${assignments}/${given.body.role_assignment.id}`;
    const changed = await patch(path, { reason: null }, given.headers.get('ETag') ?? '');
    expect(changed).toMatchObject({
      status: 200,
      body: { role_assignment: { reason: null }, task: null },
    });
    expect(changed.headers.get('ETag')).toBe('"2"');
    expect((await patch(path, { reason: 'x' }, '"1"')).status).toBe(412);
    expect((await admin.call('PATCH', path, { reason: 'x' })).status).toBe(428);
    for (const body of [
      {},
      { reason: '' },
      { reason: 'x'.repeat(501) },
      { reason: 'a\u0000b' },
      { group },
    ]) {
      expect((await patch(path, body)).status).toBe(400);
    }
  });

  it('stays shown by id when the giver has left', async () => {
    const second = await api.signUp('second');
    await api.addMember(workspace, second);
    const admins = `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members`;
    await admin.call('PUT', `${admins}/${second.person}`);
    const grant = { group, preset_role: 'workspace-viewer' };
    const { role_assignment } = (await second.call('POST', assignments, grant)).body;
    expect(role_assignment.created_by).toEqual({ id: second.person, display_name: 'second' });
    await admin.call('DELETE', `${workspace.path}/members/${second.person}`);
    const read = await admin.call('GET', `${assignments}/${role_assignment.id}`);
    expect(read.body.created_by).toEqual({ id: second.person, display_name: null });
  });
});

describe('an assignment for a time', () => {
  const give = async (): Promise<string> => {
    const grant = {
      group,
      preset_role: 'workspace-viewer',
      expires_at: '2099-01-31T18:00:00+01:00',
    };
    const given = await assign(grant);
    expect(given.body.role_assignment.expires_at).toBe(SOON);
    return given.body.role_assignment.id;
  };

  it('ends in the future', async () => {
    for (const expires_at of ['2020-01-01T00:00:00Z', 'tomorrow', '2099-01-31', 5]) {
      const answer = await assign({ group, preset_role: 'workspace-viewer', expires_at });
      expect(answer).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '#/expires_at' }] },
      });
    }
  });

  it('counts for nothing once it is over, and can be given anew', async () => {
    const id = await give();
    await expire(id);
    expect(await list(`group=${group}`)).toEqual([]);
    const path = `${assignments}/${id}`;
    expect((await admin.call('GET', path)).status).toBe(404);
    expect((await patch(path, { expires_at: null })).status).toBe(404);
    expect((await admin.call('DELETE', path)).status).toBe(404);
    const anew = await assign({ group, preset_role: 'workspace-viewer' });
    expect(anew).toMatchObject({ status: 202, body: { role_assignment: { expires_at: null } } });
    expect(await list(`group=${group}`)).toHaveLength(1);
    const events = await api.database.query(
      `SELECT target_id FROM audit_event WHERE workspace_id = $1 AND action = 'role-assignment.expire'`,
      [workspace.uuid],
    );
    expect(events).toEqual([{ target_id: parseId('roleAssignment', id) }]);
  });

  it('can be given for good, and the cluster is looked at again', async () => {
    const path = `${assignments}/${await give()}`;
    const generation = async () => (await admin.call('GET', workspace.path)).body.generation;
    const before = await generation();
    const changed = await patch(path, { expires_at: null });
    expect(changed).toMatchObject({
      status: 202,
      body: {
        role_assignment: { expires_at: null },
        task: { kind: 'role-assignment.update', state: 'pending' },
      },
    });
    expect(await generation()).toBe(before + 1);
    expect(await patch(path, { expires_at: SOON })).toMatchObject({
      status: 200,
      body: { role_assignment: { expires_at: SOON }, task: null },
    });
    expect((await patch(path, { expires_at: '2020-01-01T00:00:00Z' })).status).toBe(400);
  });
});

describe('nobody gives what they don’t have', () => {
  it('a member without WSAdmins gives nothing, whatever roles their groups hold', async () => {
    const project = await createProject('web');
    const role = await createRole(project);
    const leads = (await admin.call('POST', `${workspace.path}/groups`, { name: 'leads' })).body.id;
    const team = (
      await admin.call('POST', `${workspace.path}/groups`, { name: 'team', parent: leads })
    ).body.id;
    const lead = await api.signUp('lead');
    await api.addMember(workspace, lead);
    for (const each of [leads, team]) {
      const member = `${workspace.path}/groups/${each}/members/${lead.person}`;
      expect((await admin.call('PUT', member)).status).toBeLessThan(300);
    }
    await assign({ group: leads, preset_role: 'workspace-admin' });
    await assign({ group: leads, project, preset_role: 'workspace-admin' });
    const held = await assign({ group: leads, project, project_role: role });
    const before = await list();

    const path = `${assignments}/${held.body.role_assignment.id}`;
    const attempts = [
      ['POST', assignments, { group: leads, project, project_role: role }],
      ['POST', assignments, { group: team, project, project_role: role }],
      ['POST', assignments, { group: team, preset_role: 'workspace-viewer' }],
      ['PATCH', path, { expires_at: null }],
      ['DELETE', path],
      ['PATCH', `${workspace.path}/projects/${project}/roles/${role}`, { rules: RULES }],
      ['PATCH', `${workspace.path}/projects/${project}`, { parent: null }],
      ['PUT', `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members/${lead.person}`],
      ['PATCH', `${workspace.path}/groups/${team}`, { parent: workspace.groups['WSAdmins'] }],
    ] as const;
    for (const [method, route, body] of attempts) {
      const answer = await lead.call(method, route, body, { 'If-Match': '*' });
      expect(answer.status, `${method} ${route}`).toBe(403);
    }
    expect(await list()).toEqual(before);
  });
});
