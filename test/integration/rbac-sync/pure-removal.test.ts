/** What only takes rights away is done whatever else fails: on a real control plane. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import { removeObject } from '../../../rbac-sync/cluster/object-requests.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { aRole, aStage, given, rulesOf } from '../../support/stage.ts';
import {
  type Entitlement,
  isAllowed,
  startSyncedWorkspace,
} from '../../support/synced-workspace.ts';
import { anAssignment, noAssignments, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, workspace, cluster } = stack.use(await startSyncedWorkspace()));
});
afterAll(() => stack.disposeAsync());

const may = (entitlement: Entitlement) => isAllowed(cluster, entitlement);

describe('a pure removal', () => {
  it('is done although something else in the same change is refused', async () => {
    const { project, one, two } = await aStage(
      workspace,
      aRole('r', 'pods'),
      aRole('s', 'services'),
      given('r', 'one', 'two'),
    );
    // Nobody may write Roles in this namespace: the role that changes is refused, not the bindings.
    const policy = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies`;
    const name = 'refuses-roles';
    await cluster.root.request(policy, {
      method: 'POST',
      body: {
        metadata: { name },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            resourceRules: [
              {
                apiGroups: ['rbac.authorization.k8s.io'],
                apiVersions: ['*'],
                operations: ['CREATE', 'UPDATE'],
                resources: ['roles'],
              },
            ],
          },
          validations: [{ expression: `object.metadata.namespace != '${project}'` }],
        },
      },
    });
    const binding = policy.replace('policies', 'policybindings');
    await cluster.root.request(binding, {
      method: 'POST',
      body: { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } },
    });
    const pods = { resource: 'pods', namespace: project };
    try {
      await inForce(project);
      const generation = await workspace.changeSilently(
        'role-assignment.delete',
        noAssignments(workspace.id, one),
        rulesOf(workspace.id, project, 's', 'services', 'secrets'),
        anAssignment(workspace.id, two, project, 's'),
      );
      await ring();
      await poll('the removal', async () => !(await may({ ...pods, groups: [one] })));
      expect(await may({ ...pods, groups: [two] })).toBe(true);
      const { observed_generation } = await workspace.row();
      expect(Number(observed_generation)).toBeLessThan(generation);

      await cluster.root.request(`${binding}/${name}`, { method: 'DELETE' });
      await workspace.untilObserved(generation);
    } finally {
      await removeObject(cluster.root, `${binding}/${name}`);
    }
  });
});

/** A policy takes a moment to be in force. */
const inForce = (namespace: string) =>
  poll('the policy', () =>
    cluster.root
      .request(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`, {
        method: 'POST',
        query: { dryRun: 'All' },
        body: { metadata: { name: 'probe' }, rules: [] },
      })
      .then(
        () => false,
        () => true,
      ),
  );
const ring = () =>
  database.query('SELECT pg_notify($1, $2)', [
    DOORBELL_SUBJECTS.workspaceChanged.replaceAll('.', '_'),
    workspace.id,
  ]);
