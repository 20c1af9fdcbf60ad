import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;

beforeAll(async () => {
  api = await startTestApi();
  admin = await api.signUp('admin');
  workspace = await api.createWorkspace(admin);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('connectors', () => {
  it('are listed for whoever is signed in', async () => {
    const { body } = await admin.call('GET', '/v1/connectors');
    expect(body.items).toContainEqual({
      id: 'github',
      name: 'Connector github',
      type: 'oidc',
      provides_groups: true,
    });
  });

  it('are named in every refusal of one that isn’t there, and nobody is made', async () => {
    const identity = { connector: 'githbu', subject: '583231' };
    const answers = await Promise.all([
      admin.call(
        'POST',
        `${workspace.path}/groups/${workspace.groups['WSUsers']}/members`,
        identity,
      ),
      admin.call('POST', `/v1/organizations/${admin.organization}/users`, {
        ...identity,
        role: 'billing',
      }),
      admin.call('POST', `${workspace.path}/imports`, {
        connector: 'githbu',
        groups: [{ name: 'g', parent: null, members: ['583231'] }],
      }),
    ]);
    for (const { status, body } of answers) {
      expect(status).toBe(422);
      expect(body.detail).toMatch(/There is no connector "githbu".*"github"/);
    }
    const made = await api.database.query('SELECT FROM identity WHERE connector = $1', ['githbu']);
    expect(made).toEqual([]);
  });
});
