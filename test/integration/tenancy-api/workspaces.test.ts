import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  api = await startTestApi();
  [alice, bob] = await Promise.all([api.signUp('alice'), api.signUp('bob')]);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('GET /v1/me', () => {
  it('tells who the caller is, with their organizations and roles', async () => {
    const me = await alice.call('GET', '/v1/me');
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({
      id: alice.person,
      display_name: 'alice',
      organizations: [{ id: alice.organization, personal: true, role: 'owner' }],
    });
    expect(me.headers.get('Cache-Control')).toBe('no-store');
    expect(me.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(me.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

describe('GET /v1/organizations', () => {
  it('lists the caller’s own and no other', async () => {
    const list = await alice.call('GET', '/v1/organizations');
    expect(list.body.items.map((each: { id: string }) => each.id)).toEqual([alice.organization]);
    expect((await alice.call('GET', `/v1/organizations/${alice.organization}`)).status).toBe(200);
    expect((await alice.call('GET', `/v1/organizations/${bob.organization}`)).status).toBe(404);
  });
});

describe('GET /v1/plans', () => {
  it('lists the offered plans and not the retired', async () => {
    await api.database.query(
      `INSERT INTO plan (id, name, display_name, project_quota, limit_range, max_projects, retired_at)
       VALUES (gen_random_uuid(), 'old', 'Old', '{}', '[]', 1, now())`,
    );
    const plans = await alice.call('GET', '/v1/plans');
    expect(plans.body.items.map((plan: { name: string }) => plan.name)).toEqual([
      'starter',
      'team',
    ]);
  });
});

describe('POST /v1/organizations/{organization}/workspaces', () => {
  const create = (caller: Caller, body: unknown) =>
    caller.call('POST', `/v1/organizations/${caller.organization}/workspaces`, body);

  it('makes the presets, puts the creator into WSAdmins and starts a task', async () => {
    const created = await create(alice, { name: 'Zürich Lab', plan: 'starter' });
    expect(created.status).toBe(202);
    const { workspace, task } = created.body;
    expect(created.headers.get('Location')).toBe(`/v1/tasks/${task.id}`);
    expect(workspace).toMatchObject({
      slug: 'zurich-lab',
      name: 'Zürich Lab',
      member: true,
      generation: 1,
      observed_generation: 0,
      client_id: workspace.id,
      issuer: api.issuer.url,
      provisioner: null,
      endpoint: null,
      plan: { name: 'starter' },
    });
    expect(task).toMatchObject({ kind: 'workspace.create', state: 'pending' });
    const path = `/v1/workspaces/${workspace.id}`;
    const groups = (await alice.call('GET', `${path}/groups`)).body.items;
    const byId = new Map(
      groups.map((group: { id: string; name: string }) => [group.id, group.name]),
    );
    expect(
      groups.map((group: { name: string; parent: string; preset: boolean }) => [
        group.name,
        byId.get(group.parent) ?? null,
        group.preset,
      ]),
    ).toEqual([
      ['WorkspaceMembers', null, true],
      ['WSAdmins', 'WorkspaceMembers', true],
      ['WSUsers', 'WorkspaceMembers', true],
    ]);
    const member = await alice.call('GET', `${path}/members/${alice.person}`);
    expect(member.body).toMatchObject({
      direct_groups: [{ name: 'WSAdmins' }],
      effective_groups: [{ name: 'WSAdmins' }, { name: 'WorkspaceMembers' }],
    });
    const assignments = await alice.call('GET', `${path}/role-assignments`);
    expect(assignments.body.items).toMatchObject([
      { preset: true, preset_role: 'workspace-admin', group: groups[1].id, project: null },
    ]);
  });

  it('rings the doorbell after the commit', async () => {
    const rung: string[] = [];
    const { createDoorbell, DOORBELL_SUBJECTS } = await import('#runtime/doorbell.ts');
    const { createLogger } = await import('#runtime/log.ts');
    await using doorbell = await createDoorbell({
      databaseUrl: api.database.ownerUrl,
      log: createLogger('test', 'silent'),
    });
    await doorbell.listen(DOORBELL_SUBJECTS.workspaceChanged, (id) => rung.push(id));
    const workspace = await api.createWorkspace(alice);
    await expect.poll(() => rung).toContain(workspace.uuid);
  });

  it('refuses a taken slug, an unknown plan, bad names and unknown fields', async () => {
    expect((await create(alice, { name: 'a', slug: 'taken', plan: 'starter' })).status).toBe(202);
    const taken = await create(alice, { name: 'b', slug: 'taken', plan: 'starter' });
    expect(taken).toMatchObject({ status: 409, body: { errors: [{ pointer: '#/slug' }] } });
    const plan = await create(alice, { name: 'b', plan: 'old' });
    expect(plan).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/plan' }] } });
    for (const slug of ['-a', 'A', 'a'.repeat(41), 'ä', '']) {
      expect((await create(alice, { name: 'b', slug, plan: 'starter' })).status).toBe(400);
    }
    const extra = await create(alice, {
      name: 'b',
      plan: 'starter',
      organization: bob.organization,
      observed_generation: 9,
    });
    expect(extra.status).toBe(400);
    expect(extra.body.errors.map((each: { pointer: string }) => each.pointer)).toEqual([
      '#/organization',
      '#/observed_generation',
    ]);
    for (const name of ['', ' ', 'x'.repeat(101), 'a\nb', 'a\u202eb', 'a\u0000b', '\ud800']) {
      expect((await create(alice, { name, plan: 'starter' })).status).toBe(400);
    }
  });

  it('needs the right of the organization: 403 for billing, 404 for a stranger', async () => {
    const carol = await api.signUp('carol');
    await api.database.query(
      `INSERT INTO organization_user (organization_id, person_id, role)
       SELECT organization_id, $1, 'billing' FROM organization_user WHERE person_id = $2`,
      [carol.id, alice.id],
    );
    const path = `/v1/organizations/${alice.organization}/workspaces`;
    const body = { name: 'c', plan: 'starter' };
    const refused = await carol.call('POST', path, body);
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain('workspace:create');
    expect((await bob.call('POST', path, body)).status).toBe(404);
  });
});

describe('a workspace', () => {
  it('is seen by its members and its organization’s users, and its inside by members alone', async () => {
    const workspace = await api.createWorkspace(alice);
    const dave = await api.signUp('dave');
    await api.database.query(
      `INSERT INTO organization_user (organization_id, person_id, role)
       SELECT organization_id, $1, 'owner' FROM organization_user WHERE person_id = $2 AND role = 'owner'`,
      [dave.id, alice.id],
    );
    const list = await dave.call('GET', '/v1/workspaces');
    expect(list.body.items.map((each: { id: string }) => each.id)).toContain(workspace.id);
    const seen = await dave.call('GET', workspace.path);
    expect(seen).toMatchObject({ status: 200, body: { member: false, endpoint: null } });
    for (const inner of ['groups', 'members', 'projects', 'role-assignments', 'kubeconfig']) {
      expect((await dave.call('GET', `${workspace.path}/${inner}`)).status).toBe(404);
    }
    expect((await bob.call('GET', workspace.path)).status).toBe(404);
    expect((await bob.call('GET', '/v1/workspaces')).body.items).toEqual([]);
  });
});

describe('GET /v1/tasks/{task}', () => {
  it('answers at once, with Retry-After, while the work goes on', async () => {
    const workspace = await api.createWorkspace(alice);
    const { task } = (await alice.call('POST', `${workspace.path}/projects`, { name: 'web' })).body;
    const answer = await alice.call('GET', `/v1/tasks/${task.id}`);
    expect(answer.body).toMatchObject({ state: 'pending', workspace: workspace.id });
    expect(answer.headers.get('Retry-After')).toBe('1');
    expect(answer.headers.get('Preference-Applied')).toBeNull();
    expect((await bob.call('GET', `/v1/tasks/${task.id}`)).status).toBe(404);
  });

  it('waits for the end when asked to, and is woken by the doorbell', async () => {
    const workspace = await api.createWorkspace(alice);
    const { task } = (await alice.call('POST', `${workspace.path}/projects`, { name: 'web' })).body;
    const prefer = { Prefer: 'respond-async, wait=20' };
    const waiting = alice.call('GET', `/v1/tasks/${task.id}`, undefined, prefer);
    await expect
      .poll(() =>
        api.database.query(
          `SELECT FROM pg_stat_activity WHERE query = 'LISTEN "hexabase_workspace_observed"'
             AND datname = current_database()`,
        ),
      )
      .toHaveLength(1);
    await api.observe(workspace);
    const answer = await waiting;
    expect(answer.body).toMatchObject({ state: 'succeeded', progress: 100 });
    expect(answer.body.finished_at).not.toBeNull();
    expect(answer.headers.get('Preference-Applied')).toBe('wait=20');
    expect(answer.headers.get('Retry-After')).toBeNull();
  });

  it('gives up after the time asked for', async () => {
    const workspace = await api.createWorkspace(alice);
    const { task } = (await alice.call('POST', `${workspace.path}/projects`, { name: 'web' })).body;
    const answer = await alice.call('GET', `/v1/tasks/${task.id}`, undefined, { Prefer: 'wait=1' });
    expect(answer.body.state).toBe('pending');
    expect(answer.headers.get('Preference-Applied')).toBe('wait=1');
  });
});
