import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

const NAMES = ['delta', 'Alpha', 'charlie', 'Bravo', 'echo'];

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  workspace = await api.createWorkspace(admin, 'delta');
  for (const name of NAMES) {
    const { path } = workspace;
    await admin.call('POST', `${path}/groups`, { name });
    await admin.call('POST', `${path}/projects`, { name: name.toLowerCase() });
    await admin.call('POST', `${path}/service-accounts`, { name: name.toLowerCase() });
    if (name !== 'delta') await api.createWorkspace(admin, name);
  }
});
afterAll(() => api[Symbol.asyncDispose]());

/** All names of a list, page by page as the Link header leads. */
const walk = async (path: string): Promise<string[]> => {
  const names: string[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, body, headers } = await admin.call('GET', next);
    expect(status, JSON.stringify(body)).toBe(200);
    names.push(...body.items.map((item: { name: string }) => item.name.toLowerCase()));
    next = /<([^>]+)>; rel="next"/.exec(headers.get('Link') ?? '')?.[1];
    expect(next === undefined).toBe(body.next_cursor === null);
  }
  return names.filter((name) => !/^ws|^workspacemembers/.test(name));
};

const byTime = NAMES.map((name) => name.toLowerCase());
const byName = byTime.toSorted();

describe.each(['groups', 'projects', 'service-accounts', 'workspaces'])('a list of %s', (noun) => {
  const list = () => (noun === 'workspaces' ? '/v1/workspaces' : `${workspace.path}/${noun}`);

  it.each([
    ['', byTime],
    ['&sort=created_at', byTime],
    ['&sort=-created_at', byTime.toReversed()],
    ['&sort=name', byName],
    ['&sort=-name', byName.toReversed()],
  ])('is in the order of "%s", on pages of any size', async (sort, expected) => {
    for (const limit of [1, 2, 500]) {
      expect(await walk(`${list()}?limit=${limit}${sort}`)).toEqual(expected);
    }
  });

  it('takes a cursor in no other order', async () => {
    const first = await admin.call('GET', `${list()}?limit=2&sort=name`);
    const link = /<([^>]+)>/.exec(first.headers.get('Link') ?? '')?.[1] ?? '';
    const wrong = await admin.call('GET', link.replace('sort=name', 'sort=-name'));
    expect(wrong.status).toBe(400);
    expect(wrong.body.type).toMatch(/invalid-cursor$/);
  });

  it('knows no other order', async () => {
    const answer = await admin.call('GET', `${list()}?sort=size`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].detail).toContain('"-name"');
  });
});

it('shows an organization’s workspaces to its users, and no other’s', async () => {
  const path = `/v1/organizations/${admin.organization}/workspaces`;
  expect(await walk(`${path}?sort=name&limit=2`)).toEqual(byName);
  expect((await admin.call('GET', `${path}?state=suspended`)).body.items).toEqual([]);
  const stranger = await api.signUp('stranger');
  await api.createWorkspace(stranger, 'theirs');
  expect((await stranger.call('GET', path)).status).toBe(404);
  expect(await walk(path)).toEqual(byTime);
});

describe('a list of members', () => {
  const people = () => `${workspace.path}/members`;
  beforeAll(async () => {
    for (const subject of ['Zoe', 'anna', 'Bert']) {
      await admin.call('POST', `${workspace.path}/groups/${workspace.groups['WSUsers']}/members`, {
        connector: 'local',
        subject,
      });
    }
  });

  it('is in the order of names, and finds them by their beginnings in any case', async () => {
    const names = async (query: string) =>
      (await admin.call('GET', `${people()}?${query}`)).body.items.map(
        (member: { display_name: string }) => member.display_name,
      );
    expect(await names('sort=name')).toEqual(['admin', 'anna', 'Bert', 'Zoe']);
    expect(await names('sort=-name&limit=2')).toEqual(['Zoe', 'Bert']);
    expect(await names('search=A&sort=name')).toEqual(['admin', 'anna']);
    expect(await names('search=zo')).toEqual(['Zoe']);
    expect(await names('search=%25')).toEqual([]);
  });
});

it('goes on after a row that is gone', async () => {
  const other = await api.createWorkspace(admin, 'Other');
  for (const name of ['x', 'y']) await admin.call('POST', `${other.path}/groups`, { name });
  const page = await admin.call('GET', `${other.path}/groups?sort=-name&limit=1`);
  expect(page.body.items[0].name).toBe('y');
  await admin.call('DELETE', `${other.path}/groups/${page.body.items[0].id}`);
  const link = /<([^>]+)>/.exec(page.headers.get('Link') ?? '')?.[1] ?? '';
  expect((await admin.call('GET', link)).body.items[0].name).toBe('x');
});
