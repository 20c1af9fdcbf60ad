/** The drift ledger over the API: who reads it, and who decides what becomes of drift. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { insertDrift } from '../../support/drift-rows.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let member: Caller;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  [admin, member] = await Promise.all([api.signUp('admin'), api.signUp('member')]);
});
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  await api.addMember(workspace, member);
});
afterAll(() => api[Symbol.asyncDispose]());

const insert = (overrides: Parameters<typeof insertDrift>[2] = {}) =>
  insertDrift(api.database, workspace.uuid, overrides);
const pathOf = (id: string) => `${workspace.path}/drift/${id}`;
const audit = () =>
  api.database.query<{ action: string; before: unknown; after: unknown }>(
    `SELECT action, before, after FROM audit_event
     WHERE workspace_id = $1 AND action LIKE 'drift%' ORDER BY id`,
    [workspace.uuid],
  );

describe('the list', () => {
  const names = async (query: string) => {
    const { status, body } = await admin.call('GET', `${workspace.path}/drift${query}`);
    expect(status).toBe(200);
    return body.items.map((item: { name: string }) => item.name);
  };

  it('shows the newest first, page by page, and what it is asked for', async () => {
    await insert({ name: 'first', action: 'repaired', resolved: true });
    await insert({ name: 'second', kind: 'ResourceQuota', action: 'observed' });
    await insert({ name: 'third' });
    expect(await names('')).toEqual(['third', 'second', 'first']);
    expect(await names('?state=open')).toEqual(['third', 'second']);
    expect(await names('?state=resolved')).toEqual(['first']);
    expect(await names('?kind=ResourceQuota')).toEqual(['second']);
    expect(await names('?action=contested')).toEqual(['third']);
    const page = (await admin.call('GET', `${workspace.path}/drift?limit=2`)).body;
    const rest = `${workspace.path}/drift?limit=2&cursor=${page.next_cursor}`;
    expect((await admin.call('GET', rest)).body).toMatchObject({
      items: [{ name: 'first' }],
      next_cursor: null,
    });
  });

  it('tells who did what with which tool, and what it opened', async () => {
    const id = await insert({ name: 'shared' });
    const { status, body } = await admin.call('GET', pathOf(id));
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        id,
        workspace: workspace.id,
        kind: 'RoleBinding',
        namespace: 'shop',
        name: 'shared',
        change: 'modified',
        managers: ['kubectl-edit'],
        actor: { name: 'Ada Lovelace', email: 'ada@example.test' },
        opened: [{ role: 'ClusterRole admin', subject: { name: 'hexabase:WSUsers' } }],
        resolved_at: null,
      },
    });
  });

  it('is for admins of this workspace alone', async () => {
    const id = await insert();
    const other = await api.createWorkspace(admin);
    for (const path of [`${workspace.path}/drift`, pathOf(id), `${workspace.path}/drift-mode`]) {
      expect((await member.call('GET', path)).status, path).toBe(403);
    }
    expect((await admin.call('GET', `${other.path}/drift/${id}`)).status).toBe(404);
    expect((await admin.call('GET', `${other.path}/drift`)).body.items).toEqual([]);
  });
});

describe('a retry', () => {
  it('has a contested object put back at once, on record', async () => {
    const id = await insert({ name: 'fought' });
    const { status, body } = await admin.call('POST', `${pathOf(id)}/retry`);
    expect(status).toBe(200);
    expect(Date.parse(body.retry_at)).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(await audit()).toMatchObject([
      { action: 'drift.retry', after: { object: { kind: 'RoleBinding', name: 'fought' } } },
    ]);
  });

  it.each([
    ['what is only observed', { action: 'observed' }],
    ['what is over', { resolved: true }],
  ])('is refused for %s', async (_name, overrides) => {
    const id = await insert(overrides);
    const { status, body } = await admin.call('POST', `${pathOf(id)}/retry`);
    expect([status, body.type]).toEqual([409, expect.stringContaining('drift-not-contested')]);
  });

  it('is not a member’s to ask', async () => {
    const id = await insert();
    expect((await member.call('POST', `${pathOf(id)}/retry`)).status).toBe(403);
  });
});

describe('the mode', () => {
  const path = () => `${workspace.path}/drift-mode`;

  it('is enforce until an admin decides otherwise, on record once', async () => {
    expect((await admin.call('GET', path())).body).toEqual({ mode: 'enforce' });
    for (const _ of [1, 2]) {
      const { status, body } = await admin.call('PUT', path(), { mode: 'observe' });
      expect({ status, body }).toEqual({ status: 200, body: { mode: 'observe' } });
    }
    expect((await admin.call('GET', path())).body).toEqual({ mode: 'observe' });
    expect(await audit()).toMatchObject([
      { action: 'drift-mode.set', before: { mode: 'enforce' }, after: { mode: 'observe' } },
    ]);
  });

  it('is one of three, and no member’s to choose', async () => {
    expect((await admin.call('PUT', path(), { mode: 'ignore' })).status).toBe(400);
    expect((await member.call('PUT', path(), { mode: 'adopt' })).status).toBe(403);
  });
});
