import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId } from '#domain/identifiers.ts';
import {
  type Caller,
  PLATFORM_ADMIN,
  startTestApi,
  type TestApi,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let platformAdmin: Caller;
let owner: Caller;
beforeAll(async () => {
  api = await startTestApi();
  [platformAdmin, owner] = await Promise.all([api.signUp('platform'), api.signUp('owner')]);
  await api.database.query(
    'INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)',
    [PLATFORM_ADMIN.connector, PLATFORM_ADMIN.subject, platformAdmin.id],
  );
});
afterAll(() => api[Symbol.asyncDispose]());

const PLAN = {
  display_name: 'Business',
  project_quota: { 'requests.cpu': '8', pods: '100' },
  limit_range: [{ type: 'Container', default: { cpu: '1' } }],
  workspace_quota: { 'requests.cpu': '64' },
  network_policy: 'isolate',
  max_projects: 5,
  isolation: 'dedicated',
  node_selector: { 'node.example.com/pool': 'business' },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'business', effect: 'NoSchedule' }],
  price: { amount: 49_900, currency: 'EUR', interval: 'month' },
} as const;

const create = async (name: string, fields: object = {}) => {
  const answer = await platformAdmin.call('POST', '/v1/plans', { name, ...PLAN, ...fields });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return { ...answer.body, path: `/v1/plans/${answer.body.id}`, etag: answer.headers.get('ETag') };
};

const createWorkspace = async (plan: string) => {
  const path = `/v1/organizations/${owner.organization}/workspaces`;
  const slug = `on-${plan}`;
  return owner.call('POST', path, { name: 'On a plan', slug, plan });
};

describe('the catalogue', () => {
  it('shows everyone a plan, and how it is carried out to platform administrators alone', async () => {
    const { path, id } = await create('business');
    const seen = (await owner.call('GET', path)).body;
    const { node_selector, tolerations, ...open } = PLAN;
    expect(seen).toEqual({ id, name: 'business', ...open, retired_at: null });
    const listed = (await owner.call('GET', '/v1/plans?limit=500')).body.items;
    expect(listed).toContainEqual(seen);
    const details = (await platformAdmin.call('GET', path)).body;
    expect(details).toEqual({ ...seen, node_selector, tolerations });
  });

  it('tells who administers the platform', async () => {
    expect((await platformAdmin.call('GET', '/v1/me')).body.platform_admin).toBe(true);
    expect((await owner.call('GET', '/v1/me')).body.platform_admin).toBe(false);
  });

  it('is written by nobody else', async () => {
    const { path } = await create('not-yours');
    for (const [method, to, body] of [
      ['POST', '/v1/plans', { name: 'mine', ...PLAN }],
      ['PATCH', path, { max_projects: 1_000 }],
      ['DELETE', path, undefined],
    ] as const) {
      const answer = await owner.call(method, to, body, { 'If-Match': '*' });
      expect(answer.status).toBe(403);
      expect(answer.body.detail).toContain('plan:write');
    }
    expect((await owner.call('GET', path)).body.max_projects).toBe(PLAN.max_projects);
  });
});

describe('a new plan', () => {
  it.each([
    ['a fraction of a pod', { project_quota: { pods: '1.5' } }, 400, '#/project_quota/pods'],
    [
      'a price in no currency',
      { price: { ...PLAN.price, currency: 'euro' } },
      400,
      '#/price/currency',
    ],
    ['a negative price', { price: { ...PLAN.price, amount: -1 } }, 400, '#/price/amount'],
    ['a label that is none', { node_selector: { 'a b': 'x' } }, 400, '#/node_selector/a b'],
    [
      'a toleration without key',
      { tolerations: [{ operator: 'Equal' }] },
      400,
      '#/tolerations/0/operator',
    ],
    [
      'an unknown effect',
      { tolerations: [{ key: 'a', effect: 'Never' }] },
      400,
      '#/tolerations/0/effect',
    ],
    ['dedicated nodes that nothing selects', { node_selector: {} }, 422, '#/node_selector'],
    ['no project', { max_projects: 0 }, 400, '#/max_projects'],
  ])('with %s is refused', async (_, fields, status, pointer) => {
    const answer = await platformAdmin.call('POST', '/v1/plans', {
      name: 'no',
      ...PLAN,
      ...fields,
    });
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('needs a name of its own', async () => {
    await create('taken');
    const answer = await platformAdmin.call('POST', '/v1/plans', { name: 'taken', ...PLAN });
    expect(answer.status).toBe(409);
    expect(answer.body.errors[0].pointer).toBe('#/name');
  });
});

describe('a changed plan', () => {
  it('needs the ETag, and reaches every workspace that has it', async () => {
    const { path, etag } = await create('growing');
    const { body } = await createWorkspace('growing');
    const workspace = `/v1/workspaces/${body.workspace.id}`;
    const change = { project_quota: { ...PLAN.project_quota, pods: '200' }, price: null };
    expect((await platformAdmin.call('PATCH', path, change)).status).toBe(428);
    const stale = await platformAdmin.call('PATCH', path, change, { 'If-Match': '"9"' });
    expect(stale.status).toBe(412);
    const changed = await platformAdmin.call('PATCH', path, change, { 'If-Match': etag });
    expect(changed.body).toMatchObject({ ...PLAN, ...change });
    const after = (await owner.call('GET', workspace)).body;
    expect(after.plan.project_quota.pods).toBe('200');
    expect(after.generation).toBe(body.workspace.generation + 1);
  });

  it.each([
    ['fewer projects than there are', { max_projects: 1 }],
    ['less than a project has', { project_quota: { pods: '9' } }],
  ])('can’t allow %s', async (what, change) => {
    const name = what.startsWith('fewer') ? 'full' : 'used';
    const { path, etag } = await create(name);
    const { body } = await createWorkspace(name);
    const projects = `/v1/workspaces/${body.workspace.id}/projects`;
    await owner.call('POST', projects, { name: 'one', quota: { pods: '10' } });
    await owner.call('POST', projects, { name: 'two' });
    const refused = await platformAdmin.call('PATCH', path, change, { 'If-Match': etag });
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toMatch(/^1 workspace has more .*new plan/);
    expect((await owner.call('GET', path)).body).toMatchObject({ max_projects: PLAN.max_projects });
  });

  it('is on a record that is no organization’s', async () => {
    const { id, path, etag } = await create('recorded');
    await platformAdmin.call('PATCH', path, { max_projects: 6 }, { 'If-Match': etag });
    await platformAdmin.call('DELETE', path);
    const events = await api.database.query(
      'SELECT action, actor_id, organization_id FROM audit_event WHERE target_id = $1 ORDER BY id',
      [parseId('plan', id)],
    );
    expect(events).toEqual(
      ['plan.create', 'plan.update', 'plan.retire'].map((action) => ({
        action,
        actor_id: platformAdmin.id,
        organization_id: null,
      })),
    );
  });
});

describe('a plan that shrinks while a project is made', () => {
  it('never allows less than there is', async () => {
    const { path } = await create('racing', { max_projects: 12 });
    const { body } = await createWorkspace('racing');
    const projects = `/v1/workspaces/${body.workspace.id}/projects`;
    await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => owner.call('POST', projects, { name: `p-${i}` })),
      ...[8, 6, 4, 2].map((max_projects) =>
        platformAdmin.call('PATCH', path, { max_projects }, { 'If-Match': '*' }),
      ),
    ]);
    const { items } = (await owner.call('GET', projects)).body;
    const { max_projects } = (await owner.call('GET', path)).body;
    expect(max_projects).toBeGreaterThanOrEqual(items.length);
  });
});

describe('a retired plan', () => {
  it('is no longer offered, and stays with who has it', async () => {
    const { id, path } = await create('old');
    const { body } = await createWorkspace('old');
    const retired = await platformAdmin.call('DELETE', path);
    expect(retired.body.retired_at).not.toBeNull();
    const again = await platformAdmin.call('DELETE', path);
    expect(again.body.retired_at).toBe(retired.body.retired_at);
    const ids = async (query: string) =>
      (await owner.call('GET', `/v1/plans?limit=500${query}`)).body.items.map(
        (plan: { id: string }) => plan.id,
      );
    expect(await ids('')).not.toContain(id);
    expect(await ids('&retired=true')).toContain(id);
    expect((await createWorkspace('old')).status).toBe(422);
    const workspace = await owner.call('GET', `/v1/workspaces/${body.workspace.id}`);
    expect(workspace.body.plan.id).toBe(id);
  });
});
