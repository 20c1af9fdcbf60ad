/** What bootstrap installed stays so: put back when somebody with root changes it, and never for nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readManifests, toManifestPath } from '../../../rbac-sync/bootstrap/manifests.ts';
import {
  type DriftRow,
  type DriftWorld,
  impersonate,
  mergePatch,
  rbacPath,
  startDriftWorld,
} from '../../support/drift.ts';
import { startTestController } from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { aProject } from '../../support/workspace-rows.ts';

let world: DriftWorld;
beforeAll(async () => {
  world = await startDriftWorld();
});
afterAll(async () => {
  await world.sync[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
const startAgain = async () => {
  world = { ...world, sync: await startTestController(world.database, world.provisioner) };
};

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const NAME = 'hexabase-managed-objects';
const POLICY = `${ADMISSION}/validatingadmissionpolicies/${NAME}`;
const BINDING = `${ADMISSION}/validatingadmissionpolicybindings/${NAME}`;
const root = () => impersonate(world.cluster.root, 'mallory@host');
const get = (path: string) => world.cluster.root.request(path);
const isRepaired = (row: DriftRow) => row.action === 'repaired' && row.actor !== null;
const byMallory = { actor: { username: 'mallory@host' }, resolved_at: expect.any(Date) };
/** What a tenant's admin may not do as long as the policy is in force. */
const relabel = async () => {
  const admin = await world.cluster.asMember(['WSAdmins']);
  const path = '/api/v1/namespaces/shop/resourcequotas/hexabase-plan';
  const options = mergePatch({ metadata: { labels: { 'app.kubernetes.io/managed-by': 'me' } } });
  return admin.request(path, { ...options, query: { dryRun: 'All' } });
};
const versions = () =>
  Promise.all(
    readManifests().map(async (manifest) => {
      const { metadata } = (await get(toManifestPath(manifest))) as {
        metadata: { resourceVersion: string };
      };
      return `${manifest.kind} ${manifest.metadata.name} ${metadata.resourceVersion}`;
    }),
  );
const isSynced = () =>
  poll('Synced', async () => (await world.condition('Synced')).status === 'True');

describe('a quiet cluster', () => {
  it('has nothing put back, by looks of this connection and of another', async () => {
    // The type check of policies writes their status, some seconds after they were made.
    const before = await poll('quiet', async () => {
      const one = await versions();
      await world.workspace.change(
        'project.create',
        aProject(world.workspace.id, `p-${Date.now().toString(36)}`),
      );
      return JSON.stringify(await versions()) === JSON.stringify(one) && one;
    });
    await world.sync[Symbol.asyncDispose]();
    await startAgain();
    await world.workspace.change('project.create', aProject(world.workspace.id, 'quiet'));
    expect(await versions()).toEqual(before);
    expect(await world.database.query('SELECT FROM drift')).toEqual([]);
  });
});

describe('what is put back', () => {
  beforeEach(() => world.database.query('DELETE FROM drift'));

  it('is a policy that was deleted, in force before the look is over', async () => {
    await root().request(POLICY, { method: 'DELETE' });
    const row = await world.untilRow(NAME, isRepaired);
    expect(row).toMatchObject({
      kind: 'ValidatingAdmissionPolicy',
      change: 'deleted',
      opened: [{ sentence: `What the policy ${NAME} refuses may not be refused` }],
      ...byMallory,
    });
    await expect(relabel()).rejects.toMatchObject({ status: 403 });
    expect(await world.condition('Drifted')).toMatchObject({
      reason: 'Repaired',
      message: expect.stringContaining(`ValidatingAdmissionPolicy ${NAME}`),
    });
    await isSynced();
  });

  it('is a binding that only audits', async () => {
    await root().request(BINDING, mergePatch({ spec: { validationActions: ['Audit'] } }));
    expect(await world.untilRow(NAME, isRepaired)).toMatchObject({
      kind: 'ValidatingAdmissionPolicyBinding',
      change: 'modified',
      differences: [{ path: 'spec.validationActions', before: ['Deny'], after: [] }],
      ...byMallory,
    });
    expect(await get(BINDING)).toMatchObject({ spec: { validationActions: ['Deny', 'Audit'] } });
    await expect(relabel()).rejects.toMatchObject({ status: 403 });
  });

  it('is a policy that was turned off by something beside our fields', async () => {
    const { spec } = (await get(POLICY)) as { spec: { matchConditions: object[] } };
    const matchConditions = [...spec.matchConditions, { name: 'off', expression: 'false' }];
    await root().request(POLICY, mergePatch({ spec: { matchConditions } }));
    await world.untilRow(NAME, isRepaired);
    expect(await get(POLICY)).toMatchObject({ spec: { matchConditions: spec.matchConditions } });
    await expect(relabel()).rejects.toMatchObject({ status: 403 });
  });

  it('is a preset that was widened', async () => {
    const name = 'hexabase:workspace-admin';
    const path = `${rbacPath()}/clusterroles/${name}`;
    const before = (await get(path)) as { rules: object[] };
    const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
    await root().request(path, mergePatch({ rules: [...before.rules, secrets] }));
    expect(await world.untilRow(name, isRepaired)).toMatchObject({
      kind: 'ClusterRole',
      managers: ['kubectl-edit'],
      differences: [{ path: 'rules', before: [], after: [secrets] }],
      ...byMallory,
    });
    expect(await get(path)).toMatchObject({ rules: before.rules });
  });

  it('is what gives our own identity its rights', async () => {
    const name = 'hexabase:sync';
    const path = `${rbacPath()}/clusterrolebindings/${name}`;
    await root().request(path, { method: 'DELETE' });
    expect(await world.untilRow(name, isRepaired)).toMatchObject({
      kind: 'ClusterRoleBinding',
      change: 'deleted',
      ...byMallory,
    });
    await world.workspace.change('project.create', aProject(world.workspace.id, 'after'));
    await isSynced();
  });

  it('is that binding when it gives another role', async () => {
    const name = 'hexabase:sync';
    const path = `${rbacPath()}/clusterrolebindings/${name}`;
    const before = (await get(path)) as { roleRef: object };
    const roleRef = { ...before.roleRef, name: 'view' };
    await world.sync[Symbol.asyncDispose]();
    await root().request(path, { method: 'DELETE' });
    await root().request(path.replace(`/${name}`, ''), {
      method: 'POST',
      body: { ...before, metadata: { name }, roleRef },
    });
    await startAgain();
    await world.untilRow(name, (row) => row.action === 'repaired');
    expect(await get(path)).toMatchObject({ roleRef: { name } });
    await isSynced();
  });
});

describe('a fight', () => {
  const weaken = () =>
    root().request(BINDING, mergePatch({ spec: { validationActions: ['Audit'] } }));
  const isWhole = async () => {
    const { spec } = (await get(BINDING)) as { spec: { validationActions: string[] } };
    return spec.validationActions.includes('Deny');
  };

  it('ends in a condition that stays, with everything else looked after', async () => {
    await world.database.query('DELETE FROM drift');
    for (const time of [1, 2, 3]) {
      await weaken();
      await poll(`repair ${time}`, async () => {
        const rows = await world.rows(NAME);
        return rows.filter(({ action }) => action === 'repaired').length === time && isWhole();
      });
    }
    await weaken();
    await world.untilRow(NAME, ({ action }) => action === 'contested');
    await world.workspace.changeSilently(
      'project.create',
      aProject(world.workspace.id, 'meanwhile'),
    );
    world.sync.controller.enqueue(world.workspace.id);
    await poll('the namespace', () => get('/api/v1/namespaces/meanwhile'));
    expect(await world.condition('Synced')).toMatchObject({
      status: 'False',
      reason: 'PoliciesContested',
      message: expect.stringContaining(`ValidatingAdmissionPolicyBinding ${NAME}`),
    });
    expect(await world.condition('Drifted')).toMatchObject({
      reason: 'Contested',
      message: expect.stringContaining('OPEN NOW'),
    });
    expect(await isWhole()).toBe(false);
    const text = await world.sync.metrics.getSingleMetricAsString('hexabase_drift_contested_total');
    expect(text).toMatch(/kind="ValidatingAdmissionPolicyBinding",opens="true"\} 1/);
  });

  it('is over when it is put back again and stays', async () => {
    await world.database.query(`UPDATE drift SET retry_at = now() WHERE action = 'contested'`);
    world.sync.controller.enqueue(world.workspace.id);
    await poll('Deny', isWhole);
    await isSynced();
  });
});
