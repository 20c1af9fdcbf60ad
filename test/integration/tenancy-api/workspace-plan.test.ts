/** Changes of a workspace's plan: seen before, refused with reasons, done with a task. */
import { sql } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let owner: Caller;
let manager: Caller;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  [owner, manager] = await Promise.all([api.signUp('owner'), api.signUp('manager')]);
  await api.database.query(
    `INSERT INTO organization_user (organization_id, person_id, role)
     SELECT id, $1, 'admin' FROM organization WHERE personal_for = $2`,
    [manager.id, owner.id],
  );
  await api.database.query(
    `INSERT INTO plan (id, name, display_name, project_quota, limit_range, max_projects, retired_at)
     VALUES (gen_random_uuid(), 'tiny', 'Tiny', '{"pods": "5"}', '[]', 1, NULL),
       (gen_random_uuid(), 'old', 'Old', '{"pods": "500"}', '[]', 100, now())`,
  );
});
beforeEach(async () => {
  workspace = await api.createWorkspace(owner);
  await owner.call('POST', `${workspace.path}/projects`, { name: 'web', quota: { pods: '10' } });
  await owner.call('POST', `${workspace.path}/projects`, { name: 'shop' });
});
afterAll(() => api[Symbol.asyncDispose]());

const change = (plan: string, query = '') =>
  manager.call('PUT', `${workspace.path}/plan${query}`, { plan });
const planNow = async () => (await owner.call('GET', workspace.path)).body.plan.name;

describe('PUT /v1/workspaces/{workspace}/plan', () => {
  it('shows in a dry run what becomes different, also to who is in no project', async () => {
    const shown = await change('team', '?dry_run=true');
    expect(shown).toMatchObject({
      status: 200,
      body: {
        task: null,
        change: {
          fits: true,
          misfits: [],
          from: { name: 'starter' },
          to: { name: 'team' },
          network_policy_changes: false,
        },
      },
    });
    const pods = shown.body.change.project_quota.find(
      ({ resource }: { resource: string }) => resource === 'pods',
    );
    expect(pods).toMatchObject({ from: '20', to: expect.any(String) });
    expect(await planNow()).toBe('starter');
  });

  it('changes it with a task', async () => {
    const changed = await change('team');
    expect(changed).toMatchObject({
      status: 202,
      body: {
        workspace: { plan: { name: 'team' }, generation: 4 },
        task: { kind: 'workspace.change-plan' },
      },
    });
    expect(await planNow()).toBe('team');
    const events = await api.database.query(
      `SELECT actor_id, before, after FROM audit_event
       WHERE workspace_id = $1 AND action = 'workspace.change-plan'`,
      [workspace.uuid],
    );
    expect(events).toEqual([
      { actor_id: manager.id, before: { plan: 'starter' }, after: { plan: 'team' } },
    ]);
    expect(await change('team')).toMatchObject({ status: 200, body: { task: null } });
  });

  it('shows that projects become closed to each other', async () => {
    await api.database.query(
      `INSERT INTO plan (id, name, display_name, project_quota, limit_range, network_policy, max_projects)
       VALUES (gen_random_uuid(), 'closed', 'Closed', '{"pods": "50"}', '[]', 'isolate', 10)`,
    );
    const shown = await change('closed', '?dry_run=true');
    expect(shown.body.change).toMatchObject({ fits: true, network_policy_changes: true });
  });

  it('refuses what does not fit with the list that the dry run shows', async () => {
    const shown = await change('tiny', '?dry_run=true');
    expect(shown.status).toBe(200);
    expect(shown.body.change).toMatchObject({
      fits: false,
      misfits: [
        { reason: 'too-many-projects', has: '2', allows: '1', project: null },
        {
          reason: 'quota-beyond-plan',
          project: { name: 'web' },
          resource: 'pods',
          has: '10',
          allows: '5',
        },
      ],
    });
    const refused = await change('tiny');
    expect(refused.status).toBe(409);
    expect(refused.body.type).toMatch(/plan-does-not-fit$/);
    expect(refused.body.errors.map(({ detail }: { detail: string }) => detail)).toEqual(
      shown.body.change.misfits.map(({ detail }: { detail: string }) => detail),
    );
    expect(await planNow()).toBe('starter');
  });

  it('refuses a retired plan, and one that is not there', async () => {
    const shown = await change('old', '?dry_run=true');
    expect(shown.body.change).toMatchObject({ fits: false, misfits: [{ reason: 'plan-retired' }] });
    expect((await change('old')).status).toBe(409);
    const unknown = await change('nowhere');
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/plan' }] } });
  });

  it('lets who has a retired plan keep it', async () => {
    await api.database.query(`UPDATE plan SET retired_at = now() WHERE name = 'starter'`);
    try {
      expect(await change('starter')).toMatchObject({
        status: 200,
        body: { change: { fits: true } },
      });
    } finally {
      await api.database.query(`UPDATE plan SET retired_at = NULL WHERE name = 'starter'`);
    }
  });

  it('is the organization’s: 403 for a mere member', async () => {
    const insider = await api.signUp('insider');
    await api.addMember(workspace, insider);
    const refused = await insider.call('PUT', `${workspace.path}/plan`, { plan: 'team' });
    expect(refused.status).toBe(403);
    expect(await planNow()).toBe('starter');
  });
});

describe('a plan whose limits change', () => {
  it('gives every workspace that has it something new to be seen in its cluster', async () => {
    const generationOf = async () => (await owner.call('GET', workspace.path)).body.generation;
    const before = await generationOf();
    const db = await api.database.connectAs('hexabase_tenancy_api');
    // As the API does for a platform administrator, who sees none of these workspaces.
    const update = (assignment: 'display_name' | 'project_quota', value: string) =>
      db.transaction(async (tx) => {
        await tx.any(sql.unsafe`SELECT set_config('hexabase.platform_admin', 'true', true)`);
        await tx.query(
          assignment === 'display_name'
            ? sql.unsafe`UPDATE plan SET display_name = ${value} WHERE name = 'starter'`
            : sql.unsafe`UPDATE plan SET project_quota = ${value}::jsonb WHERE name = 'starter'`,
        );
      });
    await update('display_name', 'For starters');
    expect(await generationOf()).toBe(before);
    await update('project_quota', '{"pods": "21"}');
    expect(await generationOf()).toBe(before + 1);
  });
});
