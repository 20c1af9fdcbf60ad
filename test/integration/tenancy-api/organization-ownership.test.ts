/** Who owns an organization: transfer, leaving, and the last owner who can't go. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { createOrganization, eventsOf, type TestOrganization } from '../../support/organization.ts';
import { type Answer, type Caller, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
let owner: Caller;
let admin: Caller;
let billing: Caller;
let stranger: Caller;
let organization: TestOrganization;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  [owner, admin, billing, stranger] = await Promise.all([
    api.signUp('owner'),
    api.signUp('admin'),
    api.signUp('billing'),
    api.signUp('stranger'),
  ]);
  organization = await createOrganization(api, [
    [owner, 'owner'],
    [admin, 'admin'],
    [billing, 'billing'],
  ]);
});
afterAll(() => api[Symbol.asyncDispose]());

const ANY = { 'If-Match': '*' };
const pathOf = ({ person }: Caller) => `${organization.path}/users/${person}`;
const membership = () => `${organization.path}/membership`;
const makeOwner = async (caller: Caller) => {
  const changed = await owner.call('PATCH', pathOf(caller), { role: 'owner' }, ANY);
  expect(changed.status).toBe(200);
};
const rolesOf = async () =>
  Object.fromEntries(
    (
      await api.database.query<{ person_id: string; role: string }>(
        'SELECT person_id, role FROM organization_user WHERE organization_id = $1',
        [organization.uuid],
      )
    ).map(({ person_id, role }) => [person_id, role]),
  );

/** Every way in which an owner can stop being one. */
const WAYS_OUT: Readonly<Record<string, (caller: Caller) => Promise<Answer>>> = {
  'be demoted': (caller) => caller.call('PATCH', pathOf(caller), { role: 'admin' }, ANY),
  'be removed': (caller) => caller.call('DELETE', pathOf(caller)),
  leave: (caller) => caller.call('DELETE', membership()),
};
const OTHERS_WHO_DO_NOT_COUNT = {
  nobody: null,
  'an owner who is suspended': 'UPDATE person SET suspended_at = now() WHERE id = $1',
  'an owner who has never signed in': 'UPDATE person SET first_signed_in_at = NULL WHERE id = $1',
};

describe.each(Object.entries(WAYS_OUT))('an owner', (way, leave) => {
  it.each(Object.entries(OTHERS_WHO_DO_NOT_COUNT))(
    `can’t ${way} when there is no other but %s`,
    async (_, statement) => {
      if (statement !== null) {
        await makeOwner(admin);
        await api.database.query(statement, [admin.id]);
      }
      const before = await rolesOf();
      const refused = await leave(owner);
      expect(refused.status).toBe(409);
      expect(refused.body.type).toMatch(/last-owner$/);
      expect(refused.body.detail).toMatch(/transfer|delete/);
      expect(await rolesOf()).toEqual(before);
    },
  );

  it(`can ${way} when there is another`, async () => {
    await makeOwner(admin);
    expect((await leave(owner)).status).toBeLessThan(300);
    expect((await rolesOf())[owner.id]).not.toBe('owner');
  });

  it(`who would ${way} while another does so too: one stays`, async () => {
    await makeOwner(admin);
    const statuses = (await Promise.all([leave(owner), leave(admin)])).map(({ status }) => status);
    expect(statuses.filter((status) => status < 300)).toHaveLength(1);
    expect(Object.values(await rolesOf())).toContain('owner');
  });
});

describe('DELETE /v1/organizations/{organization}/membership', () => {
  it('lets everyone but the last owner go, on the record', async () => {
    expect((await billing.call('DELETE', membership())).status).toBe(204);
    expect((await admin.call('DELETE', membership())).status).toBe(204);
    expect((await billing.call('GET', organization.path)).status).toBe(404);
    expect((await billing.call('DELETE', membership())).status).toBe(404);
    expect((await stranger.call('DELETE', membership())).status).toBe(404);
    expect(await eventsOf(api, organization)).toMatchObject([
      { action: 'organization-user.leave', actor_id: billing.id, target_id: billing.id },
      { action: 'organization-user.leave', actor_id: admin.id, before: { role: 'admin' } },
    ]);
  });
});

describe('POST /v1/organizations/{organization}/transfer', () => {
  const transfer = (caller: Caller, to: string) =>
    caller.call('POST', `${organization.path}/transfer`, { to });

  it('makes another user owner and the caller an admin, at once and on the record', async () => {
    const done = await transfer(owner, billing.person);
    expect(done).toMatchObject({ status: 200, body: { id: organization.id, role: 'admin' } });
    expect(await rolesOf()).toEqual({
      [owner.id]: 'admin',
      [admin.id]: 'admin',
      [billing.id]: 'owner',
    });
    expect(await eventsOf(api, organization)).toMatchObject([
      {
        action: 'organization.transfer',
        actor_id: owner.id,
        before: { owner: owner.id, role: 'billing' },
        after: { owner: billing.id },
      },
    ]);
    expect((await transfer(owner, admin.person)).status).toBe(403);
  });

  it('needs another user of it who can act as owner', async () => {
    for (const to of [stranger.person, owner.person, formatId('person', createId())]) {
      const refused = await transfer(owner, to);
      expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/to' }] } });
    }
    await api.database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [admin.id]);
    expect((await transfer(owner, admin.person)).body.type).toMatch(/last-owner$/);
    expect((await rolesOf())[owner.id]).toBe('owner');
    expect(await eventsOf(api, organization)).toEqual([]);
  });

  it('is the owner’s alone', async () => {
    expect((await transfer(admin, admin.person)).status).toBe(403);
    expect((await transfer(billing, billing.person)).status).toBe(403);
    expect((await transfer(stranger, stranger.person)).status).toBe(404);
  });
});

describe('a private organization', () => {
  it('is never transferred, and its person stays its owner', async () => {
    const path = `/v1/organizations/${owner.organization}`;
    await api.database.query(
      `INSERT INTO organization_user (organization_id, person_id, role)
       SELECT id, $1, 'owner' FROM organization WHERE personal_for = $2`,
      [admin.id, owner.id],
    );
    const refusals = [
      owner.call('POST', `${path}/transfer`, { to: admin.person }),
      owner.call('DELETE', `${path}/membership`),
      owner.call('PATCH', `${path}/users/${owner.person}`, { role: 'admin' }, ANY),
      admin.call('PATCH', `${path}/users/${owner.person}`, { role: 'admin' }, ANY),
      admin.call('DELETE', `${path}/users/${owner.person}`),
    ];
    for (const { status, body } of await Promise.all(refusals)) {
      expect(status).toBe(409);
      expect(body.type).toMatch(/private-organization$/);
    }
    expect((await admin.call('DELETE', `${path}/membership`)).status).toBe(204);
    expect((await owner.call('GET', path)).body.role).toBe('owner');
  });
});
