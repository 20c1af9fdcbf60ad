/** Tokens of service accounts on a real kube-apiserver with RBAC. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type GuardedWorkspace,
  startGuardedWorkspace,
  statusOf,
} from '../../support/guarded-workspace.ts';
import { basicAuth, type TokenEndpoint, tokenEndpointOf } from '../../support/token-endpoint.ts';
import { createMachine, type TestMachine } from './machine-rows.ts';
import { createWorkspace } from './tenancy-rows.ts';

let stack: AsyncDisposableStack;
let guarded: GuardedWorkspace;
let tokens: TokenEndpoint;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  guarded = stack.use(await startGuardedWorkspace({ people: 1 }));
  tokens = stack.use(tokenEndpointOf(guarded.issuer));
}, 120_000);
afterAll(() => stack.disposeAsync());

const tokenOf = async ({ clientId, addSecret }: TestMachine): Promise<string> => {
  const headers = basicAuth(clientId, await addSecret());
  const { body } = await tokens.ask({ grant_type: 'client_credentials' }, headers);
  return body['access_token'] as string;
};

describe('a kube-apiserver', () => {
  it('knows a service account by its id, and lets it do what its groups may', async () => {
    const { database, workspace, cluster } = guarded;
    const machine = await createMachine(database, workspace.id);
    const [readers] = await database.query<{ id: string }>(
      "SELECT id FROM workspace_group WHERE name = 'readers'",
    );
    const below = await workspace.addGroup('deployers', readers?.id);
    const outside = cluster.withToken(await tokenOf(machine));
    expect(await statusOf(outside)).toBe(403);
    await machine.join(below);
    const inside = cluster.withToken(await tokenOf(machine));
    expect(await statusOf(inside)).toBe(200);
    expect(await statusOf(inside, '/api/v1/secrets')).toBe(403);
    const review = (await inside.request('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    })) as { status: { userInfo: object } };
    expect(review.status.userInfo).toMatchObject({
      username: `hexabase:${machine.clientId}`,
      groups: ['hexabase:deployers', 'hexabase:readers', 'system:authenticated'],
    });
  });

  it('refuses a service account of another workspace', async () => {
    const { database, cluster } = guarded;
    const machine = await createMachine(database, (await createWorkspace(database)).id);
    expect(await statusOf(cluster.withToken(await tokenOf(machine)))).toBe(401);
  });
});
