/** A host that says no holds up no change of rights in a control plane that goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostError } from '../../../rbac-sync/provisioners/vcluster/host-errors.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  startTestController,
  type TestCluster,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  insertWorkspace,
  noAssignments,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let sync: TestController;
let workspace: WorkspaceRows;
let cluster: TestCluster;
let saysNo = false;

const startSync = (): Promise<TestController> =>
  startTestController(database, {
    ...planes.provisioner,
    ensure: (...asked) =>
      saysNo
        ? Promise.reject(hostError('HostUnreachable', 'The host does not answer'))
        : planes.provisioner.ensure(...asked),
    // The control plane outlives rbac-sync, as a vCluster does.
    [Symbol.asyncDispose]: async () => {},
  });

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  planes = stack.use(await createTestProvisioner());
  sync = await startSync();
  stack.defer(() => sync[Symbol.asyncDispose]());
  workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  cluster = stack.use(await connectTestCluster(planes, workspace.id));
  await workspace.change(
    'role-assignment.create',
    aProject(workspace.id, 'shop'),
    aGroup(workspace.id, 'developers'),
    aProjectRole(workspace.id, 'shop', 'reader', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    ]),
    anAssignment(workspace.id, 'developers', 'shop', 'reader'),
  );
});
afterAll(() => stack.disposeAsync());

const bindings = async (): Promise<number> => {
  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings';
  const { items } = (await cluster.root.request(path)) as {
    items: { subjects: { name: string }[] }[];
  };
  return items.filter(({ subjects }) => subjects[0]?.name.endsWith('developers')).length;
};

it('takes a right away by a new connection too, and still tells what is wrong', async () => {
  expect(await bindings()).toBe(1);
  saysNo = true;
  await sync[Symbol.asyncDispose]();
  sync = await startSync();
  const generation = await workspace.changeSilently(
    'role-assignment.delete',
    noAssignments(workspace.id, 'developers'),
  );
  sync.controller.enqueue(workspace.id);
  await poll('the binding to go', async () => (await bindings()) === 0);
  await poll('the reason', async () => {
    const { conditions } = await workspace.row();
    return conditions.some(({ reason }) => reason === 'HostUnreachable');
  });
  const { conditions, observed_generation } = await workspace.row();
  expect(conditions).toContainEqual(expect.objectContaining({ type: 'Synced', status: 'True' }));
  expect(Number(observed_generation)).toBeLessThan(generation);

  saysNo = false;
  sync.controller.enqueue(workspace.id);
  await workspace.untilObserved(generation);
});
