/**
 * Who is entitled before and after a change is refused at no moment of it: hammered by
 * SubjectAccessReview on a real control plane, while rights move from one object to another.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster } from '../../support/kube.ts';
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

/** Asks from before a change until after it, again and again; answers how often the answer was no. */
const hammer = async (
  entitled: readonly Entitlement[],
  change: () => Promise<unknown>,
): Promise<{ asked: number; refused: string[] }> => {
  for (const each of entitled) expect(await may(each), JSON.stringify(each)).toBe(true);
  const refused: string[] = [];
  let [asked, over] = [0, false];
  const askers = entitled.flatMap((each) =>
    Array.from({ length: 4 }, async () => {
      while (!over) {
        asked += 1;
        if (!(await may(each))) refused.push(JSON.stringify(each));
      }
    }),
  );
  try {
    await change();
  } finally {
    over = true;
  }
  await Promise.all(askers);
  for (const each of entitled) expect(await may(each), JSON.stringify(each)).toBe(true);
  return { asked, refused };
};

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
const aPreset = (group: string, project: string | null, preset: string): Statement => [
  `INSERT INTO role_assignment (id, workspace_id, group_id, project_id, preset_role)
   SELECT gen_random_uuid(), $1, g.id, (SELECT id FROM project WHERE workspace_id = $1 AND name = $3), $4
   FROM workspace_group g WHERE g.workspace_id = $1 AND g.name = $2`,
  workspace.id,
  group,
  project,
  preset,
];
const rulesOf = (project: string, role: string, ...resources: string[]): Statement => [
  `UPDATE project_role r SET rules = $4 FROM project p
   WHERE p.id = r.project_id AND p.workspace_id = $1 AND p.name = $2 AND r.name = $3`,
  workspace.id,
  project,
  role,
  JSON.stringify([rule(...resources)]),
];

/** Changes, and expects nobody to have been refused meanwhile. */
const expectNoGap = async (
  entitled: readonly Entitlement[],
  ...statements: Statement[]
): Promise<void> => {
  const { asked, refused } = await hammer(entitled, () =>
    workspace.change('role-assignment.create', ...statements),
  );
  expect(refused).toEqual([]);
  expect(asked).toBeGreaterThan(10);
};

describe('no gap', () => {
  it('when a role’s rules change around what it keeps', async () => {
    const { project, one } = await aStage(aRole('r', 'pods', 'secrets'), given('r', 'one'));
    await expectNoGap(
      [{ groups: [one], resource: 'pods', namespace: project }],
      rulesOf(project, 'r', 'services', 'pods'),
    );
  });

  it.each(['alone', 'beside others'])(
    'when a group moves from one role to another that both allow it, %s',
    async (how) => {
      const holders = how === 'alone' ? (['one'] as const) : (['one', 'two'] as const);
      const { project, one, two } = await aStage(
        aRole('r', 'pods'),
        aRole('s', 'pods', 'services'),
        given('r', ...holders),
      );
      const everyone = how === 'alone' ? [one] : [one, two];
      await expectNoGap(
        everyone.map((group) => ({ groups: [group], resource: 'pods', namespace: project })),
        noAssignments(workspace.id, one),
        anAssignment(workspace.id, one, project, 's'),
      );
    },
  );

  it('when a role is made in the same change that replaces another', async () => {
    const { project, one } = await aStage(aRole('r', 'pods'), given('r', 'one'));
    await expectNoGap(
      [{ groups: [one], resource: 'pods', namespace: project }],
      noAssignments(workspace.id, one),
      aProjectRole(workspace.id, project, 'fresh', [rule('pods')]),
      anAssignment(workspace.id, one, project, 'fresh'),
      [
        `DELETE FROM project_role r USING project p
         WHERE p.id = r.project_id AND p.workspace_id = $1 AND p.name = $2 AND r.name = 'r'`,
        workspace.id,
        project,
      ],
    );
  });

  it('when two roles exchange what they allow', async () => {
    const { project, one } = await aStage(
      aRole('r', 'pods'),
      aRole('s', 'services'),
      given('r', 'one'),
      given('s', 'one'),
    );
    await expectNoGap(
      ['pods', 'services'].map((resource) => ({ groups: [one], resource, namespace: project })),
      rulesOf(project, 'r', 'services'),
      rulesOf(project, 's', 'pods'),
    );
  });

  it('when a preset is swapped in a project, both ways', async () => {
    const { project, one } = await aStage(({ project, one }) => [
      aPreset(one, project, 'workspace-viewer'),
    ]);
    const entitled = [{ groups: [one], resource: 'pods', namespace: project }];
    for (const preset of ['workspace-admin', 'workspace-viewer']) {
      await expectNoGap(entitled, noAssignments(workspace.id, one), aPreset(one, project, preset));
    }
  });

  it('when a preset of the whole workspace becomes one of a project, and back', async () => {
    const { project, one } = await aStage(({ one }) => [aPreset(one, null, 'workspace-viewer')]);
    const entitled = [{ groups: [one], resource: 'pods', namespace: project }];
    for (const scope of [project, null]) {
      await expectNoGap(
        entitled,
        noAssignments(workspace.id, one),
        aPreset(one, scope, 'workspace-viewer'),
      );
    }
  });

  it('when a group moves in the tree: with its old groups and with its new ones', async () => {
    const { project, one, two } = await aStage(
      aRole('r', 'pods'),
      given('r', 'one', 'two'),
      ({ one }) => [
        [
          `INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id)
           SELECT gen_random_uuid(), $1, $2, $2, id FROM workspace_group WHERE workspace_id = $1 AND name = $3`,
          workspace.id,
          `below-${one}`,
          one,
        ],
      ],
    );
    const below = `below-${one}`;
    await expectNoGap(
      [one, two].map((parent) => ({
        groups: [below, parent, 'WorkspaceMembers'],
        resource: 'pods',
        namespace: project,
      })),
      [
        `UPDATE workspace_group SET parent_id = (
           SELECT id FROM workspace_group WHERE workspace_id = $1 AND name = $3
         ) WHERE workspace_id = $1 AND name = $2`,
        workspace.id,
        below,
        two,
      ],
    );
  });

  it('when a project moves in the tree between parents that both give it', async () => {
    const { project: first, one } = await aStage(aRole('r', 'pods'), given('r', 'one'));
    const second = `other-${first}`;
    const below = `below-${first}`;
    const under = (parent: string): Statement => [
      `UPDATE project SET parent_id = (SELECT id FROM project WHERE workspace_id = $1 AND name = $3)
       WHERE workspace_id = $1 AND name = $2`,
      workspace.id,
      below,
      parent,
    ];
    await workspace.change(
      'project.create',
      aProject(workspace.id, second),
      aProjectRole(workspace.id, second, 'r', [rule('pods')]),
      anAssignment(workspace.id, one, second, 'r'),
      aProject(workspace.id, below),
      under(first),
    );
    const entitled = [{ groups: [one], resource: 'pods', namespace: below }];
    for (const parent of [second, first]) await expectNoGap(entitled, under(parent));
  });

  it('when the plan changes', async () => {
    const { project, one } = await aStage(aRole('r', 'pods'), given('r', 'one'));
    await database.query(
      `INSERT INTO plan (id, name, display_name, project_quota, limit_range, network_policy, max_projects)
       VALUES (gen_random_uuid(), 'other', 'Other', '{"pods": "5"}', '[]', 'isolate', 100)`,
    );
    await expectNoGap(
      [
        { groups: [one], resource: 'pods', namespace: project },
        { groups: ['WSAdmins'], resource: 'secrets', namespace: project },
      ],
      [
        `UPDATE workspace SET plan_id = (SELECT id FROM plan WHERE name = 'other') WHERE id = $1`,
        workspace.id,
      ],
    );
  });
});
