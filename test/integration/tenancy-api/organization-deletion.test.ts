/** The end of organizations, with all that is in them, and how it is taken back. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId } from '#domain/identifiers.ts';
import { createOrganization, eventsOf, type TestOrganization } from '../../support/organization.ts';
import { poll } from '../../support/poll.ts';
import { type Caller, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
let owner: Caller;
let admin: Caller;
let billing: Caller;
let stranger: Caller;
beforeAll(async () => {
  api = await startTestApi();
  [owner, admin, billing, stranger] = await Promise.all([
    api.signUp('owner'),
    api.signUp('admin'),
    api.signUp('billing'),
    api.signUp('stranger'),
  ]);
});
afterAll(() => api[Symbol.asyncDispose]());

const create = () =>
  createOrganization(api, [
    [owner, 'owner'],
    [admin, 'admin'],
    [billing, 'billing'],
  ]);

const addWorkspace = async ({ path }: TestOrganization, slug: string) => {
  const body = { name: slug, slug, plan: 'starter' };
  const answer = await admin.call('POST', `${path}/workspaces`, body);
  expect(answer.status).toBe(202);
  return answer.body.workspace as { id: string; generation: number };
};

const passGracePeriod = ({ uuid }: TestOrganization) =>
  api.database.query(
    `WITH w AS (UPDATE workspace SET delete_after = now() WHERE organization_id = $1)
     UPDATE organization SET delete_after = now() WHERE id = $1`,
    [uuid],
  );

describe('DELETE /v1/organizations/{organization}', () => {
  it('shows which clusters go: those that were made here', async () => {
    const organization = await create();
    const workspaces = [
      await addWorkspace(organization, 'made'),
      await addWorkspace(organization, 'attached'),
    ];
    for (const [i, provisioner] of ['local', 'attached'].entries()) {
      await api.database.query(
        `WITH w AS (UPDATE workspace SET provisioner = $2 WHERE id = $1)
         INSERT INTO workspace_cluster (workspace_id, provisioner, server, certificate_authority)
         VALUES ($1, $2, 'https://k8s.example.com', 'a certificate')`,
        [parseId('workspace', workspaces[i]?.id ?? ''), provisioner],
      );
    }
    const shown = await owner.call('DELETE', `${organization.path}?dry_run=true`);
    expect(shown.body.workspaces).toMatchObject([
      { slug: 'made', contents: { cluster: true } },
      { slug: 'attached', contents: { cluster: false } },
    ]);
    const one = await owner.call('DELETE', `/v1/workspaces/${workspaces[0]?.id}?dry_run=true`);
    expect(one.body.contents.cluster).toBe(true);
    const unsure = await owner.call('DELETE', organization.path);
    expect(unsure.body.detail).toContain('namespaces of attached clusters stay');
  });

  it('shows what would go, and does nothing, in a dry run', async () => {
    const organization = await create();
    const workspace = await addWorkspace(organization, 'apps');
    await admin.call('POST', `/v1/workspaces/${workspace.id}/projects`, { name: 'web' });
    const events = await eventsOf(api, organization);
    const shown = await owner.call('DELETE', `${organization.path}?dry_run=true`);
    expect(shown).toMatchObject({
      status: 200,
      body: {
        users: 3,
        workspaces: [
          {
            id: workspace.id,
            slug: 'apps',
            contents: {
              projects: ['web'],
              groups: 3,
              members: 1,
              service_accounts: 0,
              cluster: false,
            },
            task: null,
          },
        ],
      },
    });
    expect((await owner.call('GET', organization.path)).body.delete_after).toBeNull();
    expect(await eventsOf(api, organization)).toEqual(events);
    const { body } = await admin.call('GET', `/v1/workspaces/${workspace.id}`);
    expect(body.state).toBe('active');
  });

  it('needs the slug as confirmation, and is the owner’s alone', async () => {
    const { path, slug } = await create();
    for (const query of ['', '?confirm=', '?confirm=acme', '?dry_run=false']) {
      const unsure = await owner.call('DELETE', `${path}${query}`);
      expect(unsure).toMatchObject({
        status: 422,
        body: { detail: expect.stringContaining(slug), errors: [{ parameter: 'confirm' }] },
      });
    }
    for (const [caller, status] of [
      [admin, 403],
      [billing, 403],
      [stranger, 404],
    ] as const) {
      expect((await caller.call('DELETE', `${path}?confirm=${slug}`)).status).toBe(status);
      expect((await caller.call('POST', `${path}/restore`)).status).toBe(status);
    }
    expect((await owner.call('GET', path)).body.delete_after).toBeNull();
  });

  it('schedules it once, with a task for each workspace, all on the record', async () => {
    const organization = await create();
    const one = await addWorkspace(organization, 'one');
    await addWorkspace(organization, 'two');
    const path = `${organization.path}?confirm=${organization.slug}`;
    const deleted = await owner.call('DELETE', path);
    expect(deleted.status).toBe(202);
    const { delete_after, workspaces } = deleted.body;
    expect((Date.parse(delete_after) - Date.now()) / 86_400_000).toBeCloseTo(14, 2);
    expect(workspaces).toMatchObject([
      { slug: 'one', task: { kind: 'workspace.delete', state: 'pending' } },
      { slug: 'two', task: { kind: 'workspace.delete', state: 'pending' } },
    ]);
    expect((await owner.call('GET', `/v1/tasks/${workspaces[0].task.id}`)).status).toBe(200);
    const { body } = await admin.call('GET', `/v1/workspaces/${one.id}`);
    expect(body).toMatchObject({
      state: 'deleting',
      delete_after,
      generation: one.generation + 1,
    });
    const again = await owner.call('DELETE', path);
    expect(again).toMatchObject({
      status: 200,
      body: { delete_after, workspaces: [{ task: null }, { task: null }] },
    });
    const events = (await eventsOf(api, organization)).map(({ action }) => action);
    expect(events.filter((action) => action.endsWith('.delete')).toSorted()).toEqual([
      'organization.delete',
      'workspace.delete',
      'workspace.delete',
    ]);
  });

  it('is refused for a private organization, and says what to do', async () => {
    const path = `/v1/organizations/${owner.organization}`;
    const { slug } = (await owner.call('GET', path)).body;
    for (const query of [`?confirm=${slug}`, '?dry_run=true']) {
      const refused = await owner.call('DELETE', `${path}${query}`);
      expect(refused).toMatchObject({
        status: 409,
        body: { type: expect.stringMatching(/private-organization$/) },
      });
    }
  });

  it('closes the organization to new workspaces and users', async () => {
    const { path, slug } = await create();
    await owner.call('DELETE', `${path}?confirm=${slug}`);
    const workspace = { name: 'x', plan: 'starter' };
    const user = { connector: 'local', subject: 'late', role: 'billing' };
    for (const [to, body] of [
      ['workspaces', workspace],
      ['users', user],
    ] as const) {
      const refused = await owner.call('POST', `${path}/${to}`, body);
      expect(refused.status).toBe(409);
      expect(refused.body.type).toMatch(/organization-deleting$/);
      expect(refused.body.detail).toContain('restore');
    }
  });
});

describe('a workspace that is restored while its organization is deleted', () => {
  it('goes along, with a task', async () => {
    const organization = await create();
    const { id } = await addWorkspace(organization, 'apps');
    await owner.call('DELETE', `/v1/workspaces/${id}?confirm=apps`);
    const restoring = new pg.Client({ connectionString: api.database.ownerUrl });
    await restoring.connect();
    try {
      await restoring.query('BEGIN');
      await restoring.query('UPDATE workspace SET delete_after = NULL WHERE organization_id = $1', [
        organization.uuid,
      ]);
      const path = `${organization.path}?confirm=${organization.slug}`;
      const deleting = owner.call('DELETE', path);
      await poll('the deletion to wait for the restoration', async () => {
        const waiting = await api.database.query(
          `SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      await restoring.query('COMMIT');
      const { body } = await deleting;
      expect(body.workspaces).toMatchObject([{ id, task: { kind: 'workspace.delete' } }]);
    } finally {
      await restoring.end();
    }
  });
});

describe('POST /v1/organizations/{organization}/restore', () => {
  it('brings back what went along, as it was, and not what was going before', async () => {
    const organization = await create();
    const [active, suspended, going] = [
      await addWorkspace(organization, 'active'),
      await addWorkspace(organization, 'suspended'),
      await addWorkspace(organization, 'going'),
    ];
    const pathOf = ({ id }: { id: string }) => `/v1/workspaces/${id}`;
    await owner.call('POST', `${pathOf(suspended)}/suspend`);
    await owner.call('DELETE', `${pathOf(going)}?confirm=going`);
    const deleted = await owner.call('DELETE', `${organization.path}?confirm=${organization.slug}`);
    expect(deleted.body.workspaces).toMatchObject([
      { slug: 'active', task: { kind: 'workspace.delete' } },
      { slug: 'suspended', task: { kind: 'workspace.delete' } },
      { slug: 'going', task: null },
    ]);
    const restored = await owner.call('POST', `${organization.path}/restore`);
    expect(restored).toMatchObject({
      status: 202,
      body: { organization: { delete_after: null } },
    });
    const kinds = restored.body.tasks.map((task: { kind: string }) => task.kind);
    expect(kinds).toEqual(['workspace.restore', 'workspace.restore']);
    const stateOf = async (workspace: { id: string }) =>
      (await owner.call('GET', pathOf(workspace))).body.state;
    expect(await stateOf(active)).toBe('active');
    expect(await stateOf(suspended)).toBe('suspended');
    expect(await stateOf(going)).toBe('deleting');
    expect((await owner.call('POST', `${pathOf(going)}/restore`)).status).toBe(202);
    const again = await owner.call('POST', `${organization.path}/restore`);
    expect(again).toMatchObject({ status: 200, body: { tasks: [] } });
  });

  it('is too late after the grace period', async () => {
    const organization = await create();
    const workspace = await addWorkspace(organization, 'apps');
    await owner.call('DELETE', `${organization.path}?confirm=${organization.slug}`);
    await passGracePeriod(organization);
    const late = await owner.call('POST', `${organization.path}/restore`);
    expect(late).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/organization-deleting$/) },
    });
    const { body } = await owner.call('GET', `/v1/workspaces/${workspace.id}`);
    expect(body.state).toBe('deleting');
  });
});

describe('everything at once', () => {
  it('ends without a fault: nobody waits for one who waits for them', async () => {
    const organization = await create();
    const { id } = await addWorkspace(organization, 'busy');
    const workspace = `/v1/workspaces/${id}`;
    const requests = () => [
      owner.call('DELETE', `${organization.path}?confirm=${organization.slug}`),
      owner.call('POST', `${organization.path}/restore`),
      admin.call('POST', `${workspace}/suspend`),
      admin.call('POST', `${workspace}/resume`),
      admin.call('DELETE', `${workspace}?confirm=busy`),
      admin.call('POST', `${workspace}/restore`),
      admin.call('POST', `${organization.path}/workspaces`, { name: 'x', plan: 'starter' }),
    ];
    const answers = await Promise.all(Array.from({ length: 6 }, requests).flat());
    for (const { status, body } of answers) expect(status, JSON.stringify(body)).toBeLessThan(500);
  });
});
