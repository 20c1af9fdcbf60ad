/** Users of an organization: who may add, change and remove whom. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { createOrganization, eventsOf, type TestOrganization } from '../../support/organization.ts';
import { type Caller, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
let owner: Caller;
let admin: Caller;
let billing: Caller;
let stranger: Caller;
let organization: TestOrganization;
beforeAll(async () => {
  api = await startTestApi();
  [owner, admin, billing, stranger] = await Promise.all([
    api.signUp('owner'),
    api.signUp('admin'),
    api.signUp('billing'),
    api.signUp('stranger'),
  ]);
});
beforeEach(async () => {
  organization = await createOrganization(api, [
    [owner, 'owner'],
    [admin, 'admin'],
    [billing, 'billing'],
  ]);
});
afterAll(() => api[Symbol.asyncDispose]());

const ANY = { 'If-Match': '*' };
const users = () => `${organization.path}/users`;
const pathOf = ({ person }: Caller) => `${users()}/${person}`;
const roleOf = async (caller: Caller): Promise<string | undefined> =>
  (await owner.call('GET', pathOf(caller))).body.role;

describe('GET /v1/organizations/{organization}/users', () => {
  it('lists people with their roles, page by page, for every user of it', async () => {
    const first = await billing.call('GET', `${users()}?limit=2`);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('Link') ?? '')?.[1] ?? '';
    const second = await billing.call('GET', next);
    expect([...first.body.items, ...second.body.items]).toMatchObject(
      [owner, admin, billing]
        .map(({ person }) => ({ id: person }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(second.body.next_cursor).toBeNull();
    const owners = await billing.call('GET', `${users()}?role=owner`);
    expect(owners.body.items).toMatchObject([
      { id: owner.person, display_name: 'owner', role: 'owner', signed_in: true },
    ]);
    expect((await billing.call('GET', `${users()}?role=king`)).status).toBe(400);
  });

  it('does not exist for strangers, nor do strangers in it', async () => {
    expect((await stranger.call('GET', users())).status).toBe(404);
    expect((await stranger.call('GET', pathOf(owner))).status).toBe(404);
    const foreign = await owner.call('GET', pathOf(stranger));
    const unknown = await owner.call('GET', `${users()}/${formatId('person', createId())}`);
    expect(foreign.status).toBe(404);
    expect(foreign.body.detail).toBe(unknown.body.detail);
  });
});

describe('POST /v1/organizations/{organization}/users', () => {
  it('adds someone who has never signed in, by identity, once', async () => {
    const body = { connector: 'local', subject: 'grace', role: 'billing' };
    const added = await admin.call('POST', users(), body);
    expect(added).toMatchObject({
      status: 201,
      body: { display_name: 'grace', role: 'billing', signed_in: false },
    });
    const location = added.headers.get('Location') ?? '';
    const read = await owner.call('GET', location);
    expect(read.body).toEqual(added.body);
    expect(read.headers.get('ETag')).toBe(added.headers.get('ETag'));
    const again = await owner.call('POST', users(), { ...body, role: 'admin' });
    expect(again).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/already-exists$/) },
    });
    expect(again.body.detail).toContain('PATCH');
    expect((await owner.call('GET', location)).body.role).toBe('billing');
    expect(await eventsOf(api, organization)).toMatchObject([
      {
        action: 'organization-user.add',
        actor_id: admin.id,
        workspace_id: null,
        after: { role: 'billing' },
      },
    ]);
  });

  it('adds someone near by id, and nobody whom the caller can’t see', async () => {
    const body = { person: stranger.person, role: 'billing' };
    const foreign = await owner.call('POST', users(), body);
    const unknown = await owner.call('POST', users(), {
      ...body,
      person: formatId('person', createId()),
    });
    for (const { status, body } of [foreign, unknown]) {
      expect(status).toBe(422);
      expect(body.errors).toMatchObject([{ pointer: '#/person' }]);
    }
    expect(foreign.body.detail).toBe(unknown.body.detail);
    const shared = await api.createWorkspace(owner);
    await api.addMember(shared, stranger);
    expect((await owner.call('POST', users(), body)).status).toBe(201);
    expect((await stranger.call('GET', organization.path)).body.role).toBe('billing');
    await api.database.query('DELETE FROM workspace_member WHERE person_id = $1', [stranger.id]);
  });

  it.each([
    { role: 'admin' },
    { connector: 'local', role: 'admin' },
    { subject: 'x', role: 'admin' },
    { connector: 'local', subject: 'x' },
    { connector: 'local', subject: 'x', person: 'usr_x', role: 'admin' },
    { connector: 'local', subject: 'x', role: 'king' },
  ])('refuses %j', async (body) => {
    expect((await owner.call('POST', users(), body)).status).toBe(400);
  });
});

describe('PATCH /v1/organizations/{organization}/users/{person}', () => {
  it('changes a role by what was last read, on the record', async () => {
    const { headers } = await admin.call('GET', pathOf(billing));
    const seen = { 'If-Match': headers.get('ETag') ?? '' };
    const changed = await admin.call('PATCH', pathOf(billing), { role: 'admin' }, seen);
    expect(changed).toMatchObject({ status: 200, body: { role: 'admin' } });
    const late = await owner.call('PATCH', pathOf(billing), { role: 'owner' }, seen);
    expect(late.status).toBe(412);
    expect((await owner.call('PATCH', pathOf(billing), { role: 'owner' })).status).toBe(428);
    const next = { 'If-Match': changed.headers.get('ETag') ?? '' };
    const same = await owner.call('PATCH', pathOf(billing), { role: 'admin' }, next);
    expect(same.headers.get('ETag')).toBe(changed.headers.get('ETag'));
    expect(await eventsOf(api, organization)).toMatchObject([
      {
        action: 'organization-user.update',
        actor_id: admin.id,
        target_id: billing.id,
        before: { role: 'billing' },
        after: { role: 'admin' },
      },
    ]);
  });

  it('is not found for someone who is no user of it', async () => {
    const answer = await owner.call('PATCH', pathOf(stranger), { role: 'owner' }, ANY);
    expect(answer.status).toBe(404);
  });
});

describe('DELETE /v1/organizations/{organization}/users/{person}', () => {
  it('takes the role away at once, and leaves what they are in workspaces', async () => {
    const workspace = await api.createWorkspace(owner);
    await api.addMember(workspace, billing);
    const removed = await admin.call('DELETE', pathOf(billing));
    expect(removed).toMatchObject({ status: 204, body: '' });
    expect((await billing.call('GET', organization.path)).status).toBe(404);
    expect((await billing.call('GET', workspace.path)).status).toBe(200);
    expect((await admin.call('DELETE', pathOf(billing))).status).toBe(404);
    expect(await eventsOf(api, organization)).toMatchObject([
      { action: 'organization-user.remove', target_id: billing.id, before: { role: 'billing' } },
    ]);
  });
});

describe('roles', () => {
  it('admins neither make, change nor remove owners, themselves included', async () => {
    const refusals = [
      admin.call('POST', users(), { connector: 'local', subject: 'king', role: 'owner' }),
      admin.call('PATCH', pathOf(admin), { role: 'owner' }, ANY),
      admin.call('PATCH', pathOf(owner), { role: 'billing' }, ANY),
      admin.call('DELETE', pathOf(owner)),
      admin.call('POST', `${organization.path}/transfer`, { to: admin.person }),
    ];
    for (const { status, body } of await Promise.all(refusals)) {
      expect(status).toBe(403);
      expect(body.type).toMatch(/forbidden$/);
    }
    expect(await eventsOf(api, organization)).toEqual([]);
    const people = await api.database.query(`SELECT FROM identity WHERE subject = 'king'`);
    expect(people).toEqual([]);
  });

  it('billing changes nobody, and strangers find nothing', async () => {
    for (const [caller, status] of [
      [billing, 403],
      [stranger, 404],
    ] as const) {
      const body = { connector: 'local', subject: 'x', role: 'billing' };
      expect((await caller.call('POST', users(), body)).status).toBe(status);
      const patched = await caller.call('PATCH', pathOf(admin), { role: 'billing' }, ANY);
      expect(patched.status).toBe(status);
      expect((await caller.call('DELETE', pathOf(admin))).status).toBe(status);
    }
    expect(await roleOf(admin)).toBe('admin');
  });

  it('give nothing inside a workspace', async () => {
    const body = { name: 'Apps', slug: 'apps', plan: 'starter' };
    const created = await owner.call('POST', `${organization.path}/workspaces`, body);
    const path = `/v1/workspaces/${created.body.workspace.id}`;
    await owner.call('PATCH', pathOf(admin), { role: 'owner' }, ANY);
    for (const noun of ['groups', 'members', 'projects', 'role-assignments']) {
      expect((await admin.call('GET', `${path}/${noun}`)).status).toBe(404);
    }
  });
});
