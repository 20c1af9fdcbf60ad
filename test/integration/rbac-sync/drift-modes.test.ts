/** How a workspace wants its drift treated, and what happens when something fights over an object. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type DriftWorld,
  impersonate,
  mergePatch,
  rbacPath,
  startDriftWorld,
} from '../../support/drift.ts';
import { poll } from '../../support/poll.ts';
import {
  anAssignment,
  aProject,
  aProjectRole,
  noAssignments,
} from '../../support/workspace-rows.ts';

let world: DriftWorld;
beforeAll(async () => {
  world = await startDriftWorld();
  const { id } = world.workspace;
  await world.workspace.change(
    'role-assignment.create',
    aProjectRole(id, 'shop', 'deploy', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]),
    anAssignment(id, 'WSUsers', 'shop', 'deploy'),
  );
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.database.query('DELETE FROM drift'));

const root = () => impersonate(world.cluster.root, 'mallory@host');
const QUOTA = '/api/v1/namespaces/shop/resourcequotas/hexabase-plan';
const setPods = (pods: string) => root().request(QUOTA, mergePatch({ spec: { hard: { pods } } }));
const podsOf = async () =>
  ((await world.cluster.root.request(QUOTA)) as { spec: { hard: { pods: string } } }).spec.hard
    .pods;
const group = (name: string) => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'Group',
  name: `hexabase:${name}`,
});
const bindingOf = async (role: string): Promise<string> => {
  const { items } = (await world.cluster.root.request(`${rbacPath('shop')}/rolebindings`)) as {
    items: { metadata: { name: string }; roleRef: { name: string } }[];
  };
  const found = items.find(
    ({ metadata, roleRef }) => roleRef.name === role && metadata.name.startsWith('hexabase:'),
  );
  return `${rbacPath('shop')}/rolebindings/${found?.metadata.name}`;
};
const subjectsOf = async (path: string) =>
  ((await world.cluster.root.request(path)) as { subjects: { name: string }[] }).subjects.map(
    ({ name }) => name,
  );

describe('a workspace that observes', () => {
  it('says what is other than it should be and leaves it, through changes of others too', async () => {
    await world.setMode('observe');
    await setPods('7');
    const row = await world.untilRow('hexabase-plan', ({ action }) => action === 'observed');
    expect(row.resolved_at).toBeNull();
    expect(await world.condition('Drifted')).toMatchObject({
      status: 'True',
      reason: 'Observed',
      message: expect.stringContaining('ResourceQuota shop/hexabase-plan'),
    });
    await world.workspace.change('project.create', aProject(world.workspace.id, 'another'));
    expect(await podsOf()).toBe('7');
    expect(await world.condition('Synced')).toMatchObject({
      status: 'True',
      reason: 'VerifiedButDrifted',
      message: expect.stringContaining('1 object is left as found'),
    });
  });

  it('still takes away what the database takes away', async () => {
    const path = await bindingOf('hexabase:deploy');
    await root().request(path, mergePatch({ subjects: [group('WSUsers'), group('WSAdmins')] }));
    await world.untilRow(path.split('/').at(-1) ?? '', ({ action }) => action === 'observed');
    expect(await subjectsOf(path)).toHaveLength(2);
    await world.workspace.change(
      'role-assignment.delete',
      noAssignments(world.workspace.id, 'WSUsers'),
    );
    await expect(world.cluster.root.request(path)).rejects.toMatchObject({ status: 404 });
  });

  it('has everything put back once it enforces', async () => {
    await setPods('8');
    await world.untilRow('hexabase-plan', ({ action }) => action === 'observed');
    await world.setMode('enforce');
    await world.untilRow('hexabase-plan', ({ action }) => action === 'repaired');
    expect(await podsOf()).toBe('20');
  });
});

describe('a workspace that adopts', () => {
  const aBinding = (name: string, roleRef: object, subjects: object[]) =>
    root().request(`${rbacPath('shop')}/rolebindings`, {
      method: 'POST',
      body: {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...roleRef },
        subjects,
      },
    });
  const assignments = () =>
    world.database.query<{ name: string; preset_role: string }>(
      `SELECT g.name, a.preset_role FROM role_assignment a JOIN workspace_group g ON g.id = a.group_id
       WHERE a.workspace_id = $1 AND a.project_id IS NOT NULL`,
      [world.workspace.id],
    );

  it('has a binding as a role assignment, on the record, with a binding of ours', async () => {
    await world.setMode('adopt');
    await aBinding('lookers', { kind: 'ClusterRole', name: 'view' }, [group('WSUsers')]);
    await world.untilRow(
      'lookers',
      ({ action, reason }) => action === 'adopted' && /can be deleted/.test(reason),
    );
    expect(await assignments()).toEqual([{ name: 'WSUsers', preset_role: 'workspace-viewer' }]);
    expect(await subjectsOf(await bindingOf('view'))).toEqual(['hexabase:WSUsers']);
    const audit = await world.database.query('SELECT FROM audit_event WHERE action = $1', [
      'role-assignment.adopt',
    ]);
    expect(audit).toHaveLength(1);
  });

  it('is told when that gives more than the database by then, and takes nothing over again', async () => {
    await aBinding('again', { kind: 'ClusterRole', name: 'view' }, [group('WSUsers')]);
    await world.untilRow('again', ({ reason }) => /can be deleted/.test(reason));
    await world.workspace.change(
      'role-assignment.delete',
      noAssignments(world.workspace.id, 'WSUsers'),
    );
    await world.untilRow('again', ({ reason }) => /STILL GIVES/.test(reason));
    expect(await assignments()).toEqual([]);
    for (const name of ['lookers', 'again']) {
      await root().request(`${rbacPath('shop')}/rolebindings/${name}`, { method: 'DELETE' });
    }
    await world.untilRow('again', ({ resolved_at }) => resolved_at !== null);
  });

  it('reports what the model can’t say, with the reason', async () => {
    await aBinding('editors', { kind: 'ClusterRole', name: 'edit' }, [group('WSUsers')]);
    const row = await world.untilRow('editors', () => true);
    expect(row).toMatchObject({
      action: 'reported',
      reason: expect.stringContaining('ClusterRole edit'),
    });
    expect(await assignments()).toEqual([]);
    await root().request(`${rbacPath('shop')}/rolebindings/editors`, { method: 'DELETE' });
  });

  it('has a quota within the plan as the project’s, and puts back one beyond it', async () => {
    await setPods('5');
    await world.untilRow(
      'hexabase-plan',
      ({ action, resolved_at }) => action === 'adopted' && resolved_at !== null,
    );
    const [project] = await world.database.query<{ quota: object }>(
      `SELECT quota FROM project WHERE workspace_id = $1 AND name = 'shop'`,
      [world.workspace.id],
    );
    expect(project?.quota).toEqual({ pods: '5' });
    await setPods('500');
    const row = await world.untilRow('hexabase-plan', ({ action }) => action === 'repaired');
    expect(row.reason).toContain('the plan allows less of pods');
    expect(await podsOf()).toBe('5');
    await world.setMode('enforce');
  });
});

describe('something that fights over an object', () => {
  it('is left for a while after three repairs, and said with what stands open and by whom', async () => {
    await world.setMode('enforce');
    const path = await bindingOf('admin');
    const name = path.split('/').at(-1) ?? '';
    const wider = mergePatch({ subjects: [group('WSAdmins'), group('WSUsers')] });
    const fighting = new AbortController();
    const fight = async () => {
      while (!fighting.signal.aborted) {
        if ((await subjectsOf(path)).length === 1) await root().request(path, wider);
      }
    };
    const fighter = fight();
    const row = await world.untilRow(
      name,
      ({ action, actor }) => action === 'contested' && actor !== null,
    );
    fighting.abort();
    await fighter;
    expect((await world.rows(name)).map(({ action }) => action)).toEqual([
      'repaired',
      'repaired',
      'repaired',
      'contested',
    ]);
    expect(row.retry_at?.getTime()).toBeGreaterThan(Date.now());
    expect(row.retry_at?.getTime()).toBeLessThan(Date.now() + 6 * 60_000);
    const told = await poll('who it is', async () => {
      const drifted = await world.condition('Drifted');
      return /by mallory@host/.test(drifted.message) && drifted;
    });
    expect(told).toMatchObject({ status: 'True', reason: 'Contested' });
    expect(told.message).toContain(`RoleBinding shop/${name}`);
    expect(told.message).toContain('with kubectl-edit');
    expect(told.message).toMatch(
      /OPEN NOW: Group hexabase:WSUsers may, by the ClusterRole admin in shop/,
    );
    const audit = await world.database.query('SELECT FROM audit_event WHERE action = $1', [
      'drift.contest',
    ]);
    expect(audit).toHaveLength(1);
    expect(await world.sync.metrics.metrics()).toMatch(
      /hexabase_drift_contested_total\{kind="RoleBinding",opens="true"\} 1/,
    );
    const { message } = await world.condition('Synced');
    expect(message).not.toContain('Every right is in force');
    // Others are looked after all the same.
    await setPods('9');
    await world.untilRow('hexabase-plan', ({ action }) => action === 'repaired');
    expect(await subjectsOf(path)).toHaveLength(2);
    // Its time comes, or somebody asks for it.
    await world.database.query('UPDATE drift SET retry_at = now() WHERE id = $1', [row.id]);
    world.sync.controller.enqueue(world.workspace.id);
    await poll('the repair', async () => (await subjectsOf(path)).length === 1);
    await world.untilRow(
      name,
      ({ action, resolved_at }) => action === 'repaired' && resolved_at !== null,
    );
  });
});
