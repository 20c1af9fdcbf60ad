/**
 * Who is entitled before and after a change is refused at no moment of it: hammered by
 * SubjectAccessReview on a real control plane, while rights move from one object to another.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import type { TestCluster } from '../../support/kube.ts';
import { aRole, aStage, given, rule, rulesOf } from '../../support/stage.ts';
import {
  type Entitlement,
  isAllowed,
  startSyncedWorkspace,
} from '../../support/synced-workspace.ts';
import {
  anAssignment,
  aProject,
  aProjectRole,
  noAssignments,
  type Statement,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

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

const aPreset = (group: string, project: string | null, preset: string): Statement => [
  `INSERT INTO role_assignment (id, workspace_id, group_id, project_id, preset_role)
   SELECT gen_random_uuid(), $1, g.id, (SELECT id FROM project WHERE workspace_id = $1 AND name = $3), $4
   FROM workspace_group g WHERE g.workspace_id = $1 AND g.name = $2`,
  workspace.id,
  group,
  project,
  preset,
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
    const { project, one } = await aStage(
      workspace,
      aRole('r', 'pods', 'secrets'),
      given('r', 'one'),
    );
    await expectNoGap(
      [{ groups: [one], resource: 'pods', namespace: project }],
      rulesOf(workspace.id, project, 'r', 'services', 'pods'),
    );
  });

  it.each(['alone', 'beside others'])(
    'when a group moves from one role to another that both allow it, %s',
    async (how) => {
      const holders = how === 'alone' ? (['one'] as const) : (['one', 'two'] as const);
      const { project, one, two } = await aStage(
        workspace,
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
    const { project, one } = await aStage(workspace, aRole('r', 'pods'), given('r', 'one'));
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
      workspace,
      aRole('r', 'pods'),
      aRole('s', 'services'),
      given('r', 'one'),
      given('s', 'one'),
    );
    await expectNoGap(
      ['pods', 'services'].map((resource) => ({ groups: [one], resource, namespace: project })),
      rulesOf(workspace.id, project, 'r', 'services'),
      rulesOf(workspace.id, project, 's', 'pods'),
    );
  });

  it('when a preset is swapped in a project, both ways', async () => {
    const { project, one } = await aStage(workspace, ({ project, one }) => [
      aPreset(one, project, 'workspace-viewer'),
    ]);
    const entitled = [{ groups: [one], resource: 'pods', namespace: project }];
    for (const preset of ['workspace-admin', 'workspace-viewer']) {
      await expectNoGap(entitled, noAssignments(workspace.id, one), aPreset(one, project, preset));
    }
  });

  it('when a preset of the whole workspace becomes one of a project, and back', async () => {
    const { project, one } = await aStage(workspace, ({ one }) => [
      aPreset(one, null, 'workspace-viewer'),
    ]);
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
      workspace,
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
    const { project: first, one } = await aStage(workspace, aRole('r', 'pods'), given('r', 'one'));
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
    const { project, one } = await aStage(workspace, aRole('r', 'pods'), given('r', 'one'));
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
