/** A change that can't be proven: said, counted and on the record once, and in force only with the proof. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster, TestController } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startSyncedWorkspace } from '../../support/synced-workspace.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let sync: TestController;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, sync, workspace, cluster } = stack.use(await startSyncedWorkspace()));
});
afterAll(() => stack.disposeAsync());

const ADMIN = '/apis/rbac.authorization.k8s.io/v1/clusterroles/admin';
type Role = { readonly aggregationRule: object; readonly rules: readonly object[] };

/** As somebody with root would who empties the built-in role that projects' admins are bound to. */
const emptyAdmin = async (): Promise<Role> => {
  const role = (await cluster.root.request(ADMIN)) as Role;
  await changeAdmin({ aggregationRule: null, rules: [] });
  return role;
};
const changeAdmin = (body: object) =>
  cluster.root.request(ADMIN, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body,
  });
const eventsOf = (action: string) =>
  database.query<{ actor_id: null; after: { message: string } }>(
    'SELECT actor_id, after FROM audit_event WHERE workspace_id = $1 AND action = $2',
    [workspace.id, action],
  );
const gauge = async (): Promise<string> =>
  (await sync.metrics.getSingleMetricAsString('hexabase_workspaces_not_in_force')) ?? '';
const faults = async (): Promise<number> => {
  const text = await sync.metrics.getSingleMetricAsString('hexabase_reconcile_faults_total');
  return Number(/reason="NotInForce"\} (\d+)/.exec(text)?.[1] ?? 0);
};

it('is a condition, a metric and one audit event each for its beginning and its end', async () => {
  const { aggregationRule } = await emptyAdmin();
  const before = Number((await workspace.row()).observed_generation);
  const generation = await workspace.changeSilently(
    'role-assignment.create',
    aProject(workspace.id, 'shop'),
    aGroup(workspace.id, 'developers'),
    aProjectRole(workspace.id, 'shop', 'reader', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    ]),
    anAssignment(workspace.id, 'developers', 'shop', 'reader'),
  );
  await poll('several tries', async () => {
    sync.controller.enqueue(workspace.id);
    return (await faults()) >= 3;
  });
  const { observed_generation, conditions } = await workspace.row();
  expect(Number(observed_generation)).toBe(before);
  expect(conditions).toContainEqual(
    expect.objectContaining({ type: 'Synced', status: 'False', reason: 'NotInForce' }),
  );
  expect(await gauge()).toMatch(/ 1$/);
  expect(await eventsOf('workspace.rights-not-in-force')).toEqual([
    { actor_id: null, after: { message: expect.stringContaining('hexabase:WSAdmins') } },
  ]);
  expect(await eventsOf('workspace.rights-in-force')).toEqual([]);

  await changeAdmin({ aggregationRule });
  await workspace.untilObserved(generation);
  expect(await eventsOf('workspace.rights-in-force')).toHaveLength(1);
  expect(await eventsOf('workspace.rights-not-in-force')).toHaveLength(1);
  expect(await gauge()).toMatch(/ 0$/);
});
