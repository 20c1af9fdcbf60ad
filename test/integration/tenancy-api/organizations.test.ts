/** Organizations: made and renamed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, parseId } from '#domain/identifiers.ts';
import { createOrganization, eventsOf, uniqueSlug } from '../../support/organization.ts';
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

describe('POST /v1/organizations', () => {
  it('makes its creator the owner, on the record', async () => {
    const slug = uniqueSlug();
    const created = await stranger.call('POST', '/v1/organizations', { name: 'Acme', slug });
    expect(created).toMatchObject({
      status: 201,
      body: { name: 'Acme', slug, personal: false, role: 'owner', delete_after: null },
    });
    const { id } = created.body;
    expect(created.headers.get('Location')).toBe(`/v1/organizations/${id}`);
    const read = await stranger.call('GET', created.headers.get('Location') ?? '');
    expect(read).toMatchObject({ status: 200, body: created.body });
    expect(read.headers.get('ETag')).toBe(created.headers.get('ETag'));
    const { body: me } = await stranger.call('GET', '/v1/me');
    expect(me.organizations).toContainEqual(created.body);
    expect((await owner.call('GET', `/v1/organizations/${id}`)).status).toBe(404);
    expect(await eventsOf(api, { uuid: parseId('organization', id) ?? '' })).toMatchObject([
      { action: 'organization.create', actor_id: stranger.id, workspace_id: null, after: { slug } },
    ]);
  });

  it('makes the slug from the name, and refuses a taken one whoever has it', async () => {
    const name = `Ünïque ${createId().slice(-12)}`;
    const first = await owner.call('POST', '/v1/organizations', { name });
    expect(first).toMatchObject({
      status: 201,
      body: { slug: name.toLowerCase().replace('ünïque ', 'unique-') },
    });
    const again = await stranger.call('POST', '/v1/organizations', { name });
    expect(again).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/already-exists$/), errors: [{ pointer: '#/slug' }] },
    });
  });

  it.each([
    [{}, '#/name'],
    [{ name: 7 }, '#/name'],
    [{ name: 'x', slug: 'A' }, '#/slug'],
    [{ name: 'x', slug: '-a' }, '#/slug'],
    [{ name: 'x', slug: 'a'.repeat(51) }, '#/slug'],
    [{ name: 'x', personal: true }, '#/personal'],
  ])('refuses %j', async (body, pointer) => {
    const answer = await owner.call('POST', '/v1/organizations', body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });

  it('lets nobody make more than 20 besides their private one, not even at once', async () => {
    const collector = await api.signUp('collector');
    const found = () =>
      collector.call('POST', '/v1/organizations', { name: 'x', slug: uniqueSlug() });
    for (let i = 0; i < 18; i += 1) expect((await found()).status).toBe(201);
    const statuses = (await Promise.all([found(), found(), found(), found()])).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([201, 201, 409, 409]);
    expect((await found()).body.type).toMatch(/organization-limit-reached$/);
    // Giving one away makes no room, and being given one takes none.
    const { items } = (await collector.call('GET', '/v1/organizations?limit=500')).body;
    const path = `/v1/organizations/${items.at(-1).id}`;
    const recipient = await api.signUp('recipient');
    await api.database.query(
      `INSERT INTO organization_user (organization_id, person_id, role)
       SELECT id, $1, 'owner' FROM organization WHERE slug = $2`,
      [recipient.id, items.at(-1).slug],
    );
    expect((await collector.call('DELETE', `${path}/membership`)).status).toBe(204);
    expect((await found()).status).toBe(409);
    const own = { name: 'x', slug: uniqueSlug() };
    expect((await recipient.call('POST', '/v1/organizations', own)).status).toBe(201);
  });
});

describe('PATCH /v1/organizations/{organization}', () => {
  it('changes name and slug by what was last read, for owners and admins', async () => {
    const { path, uuid, slug } = await create();
    const { headers } = await owner.call('GET', path);
    const seen = { 'If-Match': headers.get('ETag') ?? '' };
    const next = uniqueSlug();
    const renamed = await admin.call('PATCH', path, { name: 'Two', slug: next }, seen);
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Two', slug: next } });
    const late = await owner.call('PATCH', path, { name: 'Three' }, seen);
    expect(late.status).toBe(412);
    expect(late.headers.get('ETag')).toBe(renamed.headers.get('ETag'));
    expect((await owner.call('PATCH', path, { name: 'Three' })).status).toBe(428);
    expect((await owner.call('GET', path)).body).toMatchObject({ name: 'Two', slug: next });
    expect(await eventsOf(api, { uuid })).toMatchObject([
      {
        action: 'organization.update',
        actor_id: admin.id,
        before: { name: 'Acme', slug },
        after: { name: 'Two', slug: next },
      },
    ]);
  });

  it('records nothing when nothing is new, and refuses a taken slug', async () => {
    const { path, uuid, slug } = await create();
    const other = await create();
    const any = { 'If-Match': '*' };
    const same = await owner.call('PATCH', path, { name: 'Acme', slug }, any);
    expect(same).toMatchObject({ status: 200 });
    expect(same.headers.get('ETag')).toBe('"1"');
    const taken = await owner.call('PATCH', path, { slug: other.slug }, any);
    expect(taken).toMatchObject({ status: 409, body: { errors: [{ pointer: '#/slug' }] } });
    expect(await eventsOf(api, { uuid })).toEqual([]);
  });

  it('takes back the slug of a private organization as it was read', async () => {
    const person = await api.signUp('long');
    const path = `/v1/organizations/${person.organization}`;
    // As sign-up makes them: 40 characters of the name and 8 that make it unique.
    const slug = `${'a'.repeat(40)}-${createId().slice(-8)}`;
    await api.database.query('UPDATE organization SET slug = $1 WHERE personal_for = $2', [
      slug,
      person.id,
    ]);
    const body = { name: 'Mine', slug: (await person.call('GET', path)).body.slug };
    const renamed = await person.call('PATCH', path, body, { 'If-Match': '*' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Mine', slug } });
  });

  it('is not for billing, nor for strangers', async () => {
    const { path } = await create();
    const any = { 'If-Match': '*' };
    expect((await billing.call('PATCH', path, { name: 'x' }, any)).status).toBe(403);
    expect((await stranger.call('PATCH', path, { name: 'x' }, any)).status).toBe(404);
  });
});
