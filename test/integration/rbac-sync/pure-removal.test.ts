/** What only takes rights away is done whatever else fails: on a real control plane. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import { removeObject } from '../../../rbac-sync/object-requests.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import {
  type Entitlement,
  isAllowed,
  startSyncedWorkspace,
} from '../../support/synced-workspace.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  noAssignments,
  type Statement,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

const rule = (...resources: string[]) => ({ apiGroups: [''], resources, verbs: ['get'] });

let stack: AsyncDisposableStack;
let database: TestDatabase;
let workspace: WorkspaceRows;
let cluster: TestCluster;
let count = 0;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ database, workspace, cluster } = stack.use(await startSyncedWorkspace()));
});
afterAll(() => stack.disposeAsync());

const may = (entitlement: Entitlement) => isAllowed(cluster, entitlement);

/** A project of its own for a test, with two groups. */
const aStage = async (...more: ((names: Names) => Statement[])[]): Promise<Names> => {
  count += 1;
  const names = { project: `p${count}`, one: `one${count}`, two: `two${count}` };
  const { id } = workspace;
  await workspace.change(
    'project.create',
    aProject(id, names.project),
    aGroup(id, names.one),
    aGroup(id, names.two),
    ...more.flatMap((statements) => statements(names)),
  );
  return names;
};
type Names = { readonly project: string; readonly one: string; readonly two: string };

const aRole =
  (name: string, ...resources: string[]) =>
  ({ project }: Names) => [aProjectRole(workspace.id, project, name, [rule(...resources)])];
const given =
  (role: string, ...to: ('one' | 'two')[]) =>
  (names: Names) =>
    to.map((each) => anAssignment(workspace.id, names[each], names.project, role));
const rulesOf = (project: string, role: string, ...resources: string[]): Statement => [
  `UPDATE project_role r SET rules = $4 FROM project p
   WHERE p.id = r.project_id AND p.workspace_id = $1 AND p.name = $2 AND r.name = $3`,
  workspace.id,
  project,
  role,
  JSON.stringify([rule(...resources)]),
];

describe('a pure removal', () => {
  it('is done although something else in the same change is refused', async () => {
    const { project, one, two } = await aStage(
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
        rulesOf(project, 's', 'services', 'secrets'),
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
