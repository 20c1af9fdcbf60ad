/** A workspace's name, plan, suspension and deletion: who may, what is refused, what is recorded. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
/** Owns the organization and is in the workspace. */
let owner: Caller;
/** Administers the organization and is in no workspace. */
let manager: Caller;
/** Is in the workspace, as an admin, and in no organization of it. */
let insider: Caller;
let stranger: Caller;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  [owner, manager, insider, stranger] = await Promise.all([
    api.signUp('owner'),
    api.signUp('manager'),
    api.signUp('insider'),
    api.signUp('stranger'),
  ]);
  await api.database.query(
    `INSERT INTO organization_user (organization_id, person_id, role)
     SELECT id, $1, 'admin' FROM organization WHERE personal_for = $2`,
    [manager.id, owner.id],
  );
});
beforeEach(async () => {
  workspace = await api.createWorkspace(owner);
  await api.addMember(workspace, insider);
  await api.database.query(
    `INSERT INTO group_member (workspace_id, person_id, group_id)
     SELECT $1, $2, id FROM workspace_group WHERE workspace_id = $1 AND name = 'WSAdmins'`,
    [workspace.uuid, insider.id],
  );
});
afterAll(() => api[Symbol.asyncDispose]());

const read = async (caller: Caller = owner) => (await caller.call('GET', workspace.path)).body;
const slugOf = async () => (await read()).slug as string;
const generations = async () => (await read()).generation as number;
const eventsOf = (action: string) =>
  api.database.query<{ actor_id: string; before: unknown; after: unknown }>(
    'SELECT actor_id, before, after FROM audit_event WHERE workspace_id = $1 AND action = $2',
    [workspace.uuid, action],
  );

describe('PATCH /v1/workspaces/{workspace}', () => {
  it('renames it by what was last read, for its admins and for its organization’s', async () => {
    const { headers } = await owner.call('GET', workspace.path);
    const seen = { 'If-Match': headers.get('ETag') ?? '' };
    const generation = await generations();
    const renamed = await insider.call('PATCH', workspace.path, { name: 'One' }, seen);
    expect(renamed).toMatchObject({ status: 200, body: { name: 'One' } });
    const late = await manager.call('PATCH', workspace.path, { name: 'Two' }, seen);
    expect(late.status).toBe(412);
    const next = { 'If-Match': renamed.headers.get('ETag') ?? '' };
    expect((await manager.call('PATCH', workspace.path, { name: 'Two' }, next)).status).toBe(200);
    expect(await read()).toMatchObject({ name: 'Two', generation });
    expect(await eventsOf('workspace.update')).toMatchObject([
      { actor_id: insider.id, after: { name: 'One' } },
      { actor_id: manager.id, before: { name: 'One' }, after: { name: 'Two' } },
    ]);
  });

  it('needs If-Match, and changes nothing when nothing is new', async () => {
    expect((await owner.call('PATCH', workspace.path, { name: 'x' })).status).toBe(428);
    const same = await owner.call('PATCH', workspace.path, {}, { 'If-Match': '*' });
    expect(same.headers.get('ETag')).toBe('"1"');
    expect(await eventsOf('workspace.update')).toEqual([]);
  });
});

describe('POST /v1/workspaces/{workspace}/suspend and /resume', () => {
  it('stop and start it, each with a task, and say so', async () => {
    const generation = await generations();
    const suspended = await manager.call('POST', `${workspace.path}/suspend`);
    expect(suspended).toMatchObject({
      status: 202,
      body: {
        workspace: { state: 'suspended', generation: generation + 1 },
        task: { kind: 'workspace.suspend', state: 'pending' },
      },
    });
    expect((await manager.call('GET', suspended.headers.get('Location') ?? '')).status).toBe(200);
    const again = await manager.call('POST', `${workspace.path}/suspend`);
    expect(again).toMatchObject({ status: 200, body: { task: null } });
    expect(await generations()).toBe(generation + 1);
    const resumed = await manager.call('POST', `${workspace.path}/resume`);
    expect(resumed).toMatchObject({ status: 202, body: { workspace: { state: 'active' } } });
    expect((await manager.call('POST', `${workspace.path}/resume`)).status).toBe(200);
    expect(await eventsOf('workspace.suspend')).toMatchObject([
      { actor_id: manager.id, before: { state: 'active' }, after: { state: 'suspended' } },
    ]);
  });

  it('refuse every change inside meanwhile, and none after', async () => {
    await owner.call('POST', `${workspace.path}/suspend`);
    const change = () => insider.call('POST', `${workspace.path}/projects`, { name: 'web' });
    expect((await change()).body.type).toMatch(/workspace-suspended$/);
    const rename = await owner.call('PATCH', workspace.path, { name: 'x' }, { 'If-Match': '*' });
    expect(rename.status).toBe(409);
    expect((await insider.call('GET', `${workspace.path}/projects`)).status).toBe(200);
    await owner.call('POST', `${workspace.path}/resume`);
    expect((await change()).status).toBe(202);
  });

  it('are the organization’s: 403 for a mere member, 404 for a stranger', async () => {
    for (const [method, action] of [
      ['POST', '/suspend'],
      ['POST', '/resume'],
      ['POST', '/restore'],
      ['DELETE', '?confirm=x'],
    ] as const) {
      const path = `${workspace.path}${action}`;
      expect((await insider.call(method, path)).status).toBe(403);
      expect((await stranger.call(method, path)).status).toBe(404);
    }
    expect((await read()).state).toBe('active');
  });
});

describe('DELETE /v1/workspaces/{workspace}', () => {
  it('shows what would go, and does nothing, in a dry run', async () => {
    await owner.call('POST', `${workspace.path}/projects`, { name: 'web' });
    const shown = await manager.call('DELETE', `${workspace.path}?dry_run=true`);
    expect(shown).toMatchObject({
      status: 200,
      body: {
        task: null,
        workspace: { state: 'deleting' },
        contents: { projects: ['web'], groups: 3, members: 2, service_accounts: 0, cluster: false },
      },
    });
    expect(await read()).toMatchObject({ state: 'active', delete_after: null });
    expect(await eventsOf('workspace.delete')).toEqual([]);
  });

  it('needs the slug or the name as confirmation, and schedules it once', async () => {
    const unsure = await manager.call('DELETE', `${workspace.path}?confirm=other`);
    expect(unsure).toMatchObject({ status: 422, body: { errors: [{ parameter: 'confirm' }] } });
    const path = `${workspace.path}?confirm=${await slugOf()}`;
    const deleted = await manager.call('DELETE', path);
    expect(deleted).toMatchObject({ status: 202, body: { task: { kind: 'workspace.delete' } } });
    const days = (Date.parse(deleted.body.delete_after) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(14, 2);
    const again = await manager.call('DELETE', path);
    expect(again).toMatchObject({
      status: 200,
      body: { task: null, delete_after: deleted.body.delete_after },
    });
    expect((await manager.call('POST', `${workspace.path}/suspend`)).body.type).toMatch(
      /workspace-deleting$/,
    );
    expect((await manager.call('PUT', `${workspace.path}/plan`, { plan: 'team' })).status).toBe(
      409,
    );
  });

  it('can be restored in time, to what it was, and not after', async () => {
    await manager.call('POST', `${workspace.path}/suspend`);
    const path = `${workspace.path}?confirm=${await slugOf()}`;
    await manager.call('DELETE', path);
    const restored = await manager.call('POST', `${workspace.path}/restore`);
    expect(restored).toMatchObject({
      status: 202,
      body: { workspace: { state: 'suspended', delete_after: null } },
    });
    expect((await manager.call('POST', `${workspace.path}/restore`)).status).toBe(200);
    const { name } = await read();
    const byName = `${workspace.path}?confirm=${encodeURIComponent(name)}`;
    expect((await manager.call('DELETE', byName)).status).toBe(202);
    await api.database.query('UPDATE workspace SET delete_after = now() WHERE id = $1', [
      workspace.uuid,
    ]);
    const late = await manager.call('POST', `${workspace.path}/restore`);
    expect(late).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/workspace-deleting$/) },
    });
  });
});

describe('an organization that is being deleted', () => {
  it('takes its workspaces along: closed, and not to be restored alone', async () => {
    const person = await api.signUp('leaver');
    const theirs = await api.createWorkspace(person);
    await api.database.query(
      `UPDATE organization SET delete_after = now() + interval '1 day' WHERE personal_for = $1`,
      [person.id],
    );
    const { body } = await person.call('GET', theirs.path);
    expect(body).toMatchObject({ state: 'deleting', delete_after: expect.any(String) });
    const change = await person.call('POST', `${theirs.path}/projects`, { name: 'web' });
    expect(change.body.type).toMatch(/workspace-suspended$/);
    const restore = await person.call('POST', `${theirs.path}/restore`);
    expect(restore.status).toBe(409);
    expect(restore.body.detail).toContain('organization');
  });
});

describe('GET /v1/workspaces', () => {
  it('shows those of an organization, and of a state', async () => {
    await owner.call('POST', `${workspace.path}/suspend`);
    const list = async (query: string): Promise<string[]> =>
      (await owner.call('GET', `/v1/workspaces?limit=100&${query}`)).body.items.map(
        ({ id }: { id: string }) => id,
      );
    expect(await list(`organization=${owner.organization}`)).toContain(workspace.id);
    expect(await list(`organization=${stranger.organization}`)).toEqual([]);
    expect(await list('organization=nonsense')).toEqual([]);
    expect(await list('state=suspended')).toContain(workspace.id);
    expect(await list('state=active')).not.toContain(workspace.id);
    const page = await owner.call(
      'GET',
      `/v1/workspaces?limit=1&organization=${owner.organization}`,
    );
    const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('Link') ?? '')?.[1] ?? '';
    expect((await owner.call('GET', next)).body.items).toHaveLength(1);
  });
});
