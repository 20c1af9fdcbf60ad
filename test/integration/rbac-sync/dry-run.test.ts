/** What would change in a cluster, asked while nobody changes it: on a real control plane. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createDiffedWorkspace,
  type DiffedWorkspace,
  type Listed,
  RBAC,
} from '../../support/diffed-workspace.ts';
import { toLines } from '../../support/diffs.ts';
import type { TestCluster } from '../../support/kube.ts';
import { aProject, READ_PODS, type WorkspaceRows } from '../../support/workspace-rows.ts';

const QUOTA = '/api/v1/namespaces/shop/resourcequotas/hexabase-plan';

let world: DiffedWorkspace;
let workspace: WorkspaceRows;
let cluster: TestCluster;
beforeAll(async () => {
  world = await createDiffedWorkspace();
  ({ workspace, cluster } = world);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const settle = () => world.settle();
const diff = () => world.diff();

const patch = (path: string, body: object) =>
  cluster.root.request(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body,
  });

describe('in a cluster that is as it should be', () => {
  it('nothing is to be changed', async () => {
    expect(await diff()).toMatchObject({ objects: [], omitted: 0, notes: [] });
  });
});

describe('after changes past the platform', () => {
  beforeEach(settle);

  it('shows what was changed, as it is and as it would be again', async () => {
    await patch(QUOTA, { spec: { hard: { pods: '1234' } } });
    const { objects } = await diff();
    expect(toLines(objects)).toEqual(['update ResourceQuota shop/hexabase-plan']);
    const [{ before, after, checked, refusal } = {}] = objects;
    expect({ checked, refusal }).toEqual({ checked: true, refusal: null });
    expect(before).toMatchObject({ spec: { hard: { pods: '1234' } } });
    expect(after).toMatchObject({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'hexabase-plan', namespace: 'shop' },
    });
    expect(after).not.toMatchObject({ spec: { hard: { pods: '1234' } } });
    for (const object of [before, after]) {
      expect(object).not.toHaveProperty('status');
      expect(Object.keys(object!['metadata'] as object).sort()).toEqual([
        'labels',
        'name',
        'namespace',
      ]);
    }
    // It was right: this is what comes of it.
    await settle();
    expect(await cluster.root.request(QUOTA)).toMatchObject({ spec: after!['spec'] });
  });

  it('shows what was deleted and what was added under our label', async () => {
    const bindings = `${RBAC}/namespaces/shop/rolebindings`;
    const { items } = (await cluster.root.request(bindings)) as Listed;
    const given = items.find(({ metadata }) => metadata.name.includes('pod-reader'))!.metadata.name;
    await cluster.root.request(`${bindings}/${given}`, { method: 'DELETE' });
    await cluster.root.request(`${RBAC}/namespaces/shop/roles`, {
      method: 'POST',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: {
          name: 'extra',
          labels: { 'app.kubernetes.io/managed-by': 'hexabase-rbac-sync' },
        },
        rules: READ_PODS,
      },
    });
    const { objects } = await diff();
    expect(toLines(objects)).toEqual([
      `create RoleBinding shop/${given}`,
      'delete Role shop/extra',
    ]);
    expect(objects[0]).toMatchObject({ before: null, checked: true });
    expect(objects[0]?.after).toMatchObject({
      subjects: [{ kind: 'Group', name: 'hexabase:on-call' }],
    });
    expect(objects[1]).toMatchObject({ after: null, checked: true, refusal: null });
    expect(objects[1]?.before).toMatchObject({ rules: READ_PODS });
  });

  it('shows labels of ours, and those of others on neither side', async () => {
    await patch('/api/v1/namespaces/shop', {
      metadata: {
        labels: {
          theirs: 'kept',
          'kaas.hexabase.io/project': 'other',
        },
      },
    });
    const [object] = (await diff()).objects;
    const labelsOf = (side: Record<string, unknown> | null | undefined) =>
      (side!['metadata'] as { labels: Record<string, string> }).labels;
    expect(labelsOf(object?.before)).toMatchObject({
      'kaas.hexabase.io/project': 'other',
    });
    expect(labelsOf(object?.before)).not.toHaveProperty('theirs');
    expect(labelsOf(object?.after)).not.toHaveProperty('theirs');
    expect(labelsOf(object?.after)['kaas.hexabase.io/project']).toMatch(/^prj_/);
  });

  it('shows what has our name and not our label as it is', async () => {
    await patch(QUOTA, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } });
    const [object] = (await diff()).objects;
    expect(object).toMatchObject({ action: 'update', name: 'hexabase-plan', checked: true });
    expect(object?.before).toMatchObject({ metadata: { name: 'hexabase-plan' } });
  });
});

describe('what the API server has to say', () => {
  beforeEach(settle);

  it('is told in words for a namespace that is somebody else’s, whose content is not tried', async () => {
    await cluster.root.request('/api/v1/namespaces', {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'taken' } },
    });
    await workspace.changeSilently('project.create', aProject(workspace.id, 'taken'));
    const { objects } = await diff();
    const [namespace, ...rest] = objects;
    expect(namespace).toMatchObject({ action: 'update', kind: 'Namespace', name: 'taken' });
    expect(namespace?.refusal).toMatch(/kubectl annotate namespace taken/);
    expect(rest.length).toBeGreaterThan(0);
    for (const each of rest) {
      expect(each).toMatchObject({ namespace: 'taken', checked: false, refusal: null });
    }
    await workspace.changeSilently('project.delete', [
      `DELETE FROM project WHERE workspace_id = $1 AND name = 'taken'`,
      workspace.id,
    ]);
  });

  it('is not asked about a binding with another roleRef, which has to go first', async () => {
    const bindings = `${RBAC}/namespaces/shop/rolebindings`;
    const { items } = (await cluster.root.request(bindings)) as Listed;
    const { name } = items.find(({ metadata }) => metadata.name.includes('pod-reader'))!.metadata;
    await cluster.root.request(`${bindings}/${name}`, { method: 'DELETE' });
    await cluster.root.request(bindings, {
      method: 'POST',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      },
    });
    const { objects } = await diff();
    expect(toLines(objects)).toEqual([`update RoleBinding shop/${name}`]);
    expect(objects[0]).toMatchObject({ checked: false, refusal: null });
    expect(objects[0]?.before).toMatchObject({ roleRef: { name: 'view' } });
    expect(objects[0]?.after).toMatchObject({ roleRef: { name: 'hexabase:pod-reader' } });
  });

  it('is not asked about a namespace that is yet to be made', async () => {
    await workspace.changeSilently('project.create', aProject(workspace.id, 'new'));
    const { objects } = await diff();
    expect(toLines(objects)).toContain('create Namespace new');
    for (const { namespace, checked } of objects) expect(checked).toBe(namespace === null);
  });

  it('is told with the object that it refuses, and the others are shown', async () => {
    await patch('/api/v1/namespaces/shop/limitranges/hexabase-plan', {
      metadata: { labels: { 'kaas.hexabase.io/project': 'other' } },
    });
    await workspace.changeSilently('project.update', [
      `UPDATE project SET quota = '{"no.such/thing/at/all": "1"}' WHERE workspace_id = $1 AND name = 'shop'`,
      workspace.id,
    ]);
    const { objects } = await diff();
    expect(toLines(objects)).toEqual([
      'update ResourceQuota shop/hexabase-plan',
      'update LimitRange shop/hexabase-plan',
    ]);
    expect(objects[0]?.refusal).toMatch(/422 .*no\.such\/thing\/at\/all/);
    expect(objects[1]?.refusal).toBeNull();
    await workspace.changeSilently('project.update', [
      `UPDATE project SET quota = NULL WHERE workspace_id = $1 AND name = 'shop'`,
      workspace.id,
    ]);
  });
});
