/** What one synchronization promises of a real cluster when parts of it fail. */
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { desiredState } from '#domain/desired-state.ts';
import { createId } from '#domain/identifiers.ts';
import type { WorkspaceState } from '#domain/workspace-state.ts';
import { bootstrapCluster, requestSyncToken } from '../../../rbac-sync/bootstrap/bootstrap.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import {
  connectCluster,
  type WorkspaceCluster,
} from '../../../rbac-sync/cluster/workspace-clusters.ts';
import { createSyncMetrics } from '../../../rbac-sync/metrics.ts';
import { ApplyError } from '../../../rbac-sync/sync/apply-error.ts';
import { syncCluster } from '../../../rbac-sync/sync/sync-cluster.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  type TestCluster,
  testLog,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const metrics = createSyncMetrics(new Registry());
const organizationId = createId();
const project = { id: createId(), name: 'shop', parentId: null, quota: null };
const role = {
  id: createId(),
  projectId: project.id,
  name: 'reader',
  rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
};
const aWorkspace = (change: Partial<WorkspaceState> = {}): WorkspaceState => ({
  workspaceId: createId(),
  organizationId,
  plan: { projectQuota: {}, limitRange: [], networkPolicy: 'none' },
  projects: [project],
  projectRoles: [role],
  assignments: [
    { groupName: 'team', projectId: project.id, projectRoleId: role.id, presetRole: null },
  ],
  ...change,
});

let stack: AsyncDisposableStack;
let cluster: TestCluster;
let connected: WorkspaceCluster;
const workspaceId = createId();

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const planes = stack.use(await createTestProvisioner());
  cluster = stack.use(await connectTestCluster(planes, workspaceId));
  await bootstrapCluster(cluster.root);
  connected = stack.use(
    await connectCluster({
      access: { ...cluster.plane, ...(await requestSyncToken(cluster.root)) },
      onChange: () => {},
      log: testLog,
    }),
  );
});
afterAll(() => stack.disposeAsync());

const synchronize = (state: Partial<WorkspaceState> = {}, options = {}) =>
  syncCluster({
    cluster: connected,
    desired: desiredState({ ...aWorkspace(state), workspaceId }),
    metrics,
    provenBefore: true,
    onChanges: async () => {},
    ...options,
  });
const mayListPods = async (): Promise<boolean> => {
  const review = (await cluster.root.request(REVIEWS, {
    method: 'POST',
    body: {
      spec: {
        groups: ['hexabase:team'],
        resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'shop' },
      },
    },
  })) as { status: { allowed: boolean } };
  return review.status.allowed;
};

/** A connection that counts the questions, and loses as many of the first answers as it is told. */
const losing = (count: number) => {
  const asked: string[] = [];
  const client: WorkspaceCluster['client'] = {
    ...connected.client,
    request: (path, options) => {
      if (path === REVIEWS) {
        asked.push(path);
        if (asked.length <= count) return Promise.reject(new Error('the connection broke'));
      }
      return connected.client.request(path, options);
    },
  };
  const through: WorkspaceCluster = Object.create(connected, { client: { value: client } });
  return { asked, through };
};

describe('a synchronization', () => {
  beforeEach(() => synchronize({ assignments: [] }).then(() => {}));

  it('proves a change that an earlier one made and could not prove', async () => {
    const { asked, through } = losing(1);
    const sync = () =>
      syncCluster({
        cluster: through,
        desired: desiredState({ ...aWorkspace(), workspaceId }),
        metrics,
        provenBefore: false,
        onChanges: async () => {},
      });
    await expect(sync()).rejects.toThrow('the connection broke');
    const { changes } = await sync();
    expect(changes.apply).toEqual([]);
    expect(asked).toHaveLength(2);
    await sync();
    expect(asked).toHaveLength(2);
  });

  it('proves that a right is gone which was given and never proven', async () => {
    const { asked, through } = losing(1);
    const sync = (state: Partial<WorkspaceState>) =>
      syncCluster({
        cluster: through,
        desired: desiredState({ ...aWorkspace(state), workspaceId }),
        metrics,
        provenBefore: true,
        onChanges: async () => {},
      });
    await expect(sync({})).rejects.toThrow('the connection broke');
    expect(asked).toHaveLength(1);
    await sync({ assignments: [] });
    expect(asked).toHaveLength(2);
  });

  it('proves every grant when nobody said before that it was in force', async () => {
    await synchronize();
    await using again = await connectCluster({
      access: connected.access(),
      onChange: () => {},
      log: testLog,
    });
    const { asked, through } = losing(0);
    const options = (provenBefore: boolean) => ({
      cluster: Object.create(through, {
        stores: { value: again.stores },
        unproven: { value: undefined, writable: true },
      }),
      provenBefore,
    });
    await synchronize({}, options(true));
    expect(asked).toHaveLength(0);
    await synchronize({}, options(false));
    expect(asked).toHaveLength(1);
  });

  it('takes rights away although something else can’t be made', async () => {
    await synchronize();
    expect(await mayListPods()).toBe(true);
    await cluster.root.request('/api/v1/namespaces', {
      method: 'POST',
      body: { metadata: { name: 'occupied' } },
    });
    const occupied = { id: createId(), name: 'occupied', parentId: null, quota: null };
    const other = { id: createId(), name: 'other', parentId: null, quota: null };
    await expect(
      synchronize({ projects: [project, occupied, other], assignments: [] }),
    ).rejects.toThrow(ApplyError);
    await poll('the right to be gone', async () => !(await mayListPods()));
    await expect(cluster.root.request('/api/v1/namespaces/other')).resolves.toBeDefined();
    const left = (await cluster.root.request('/api/v1/namespaces/occupied')) as {
      metadata: { labels: Record<string, string> };
    };
    expect(left.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'occupied' });
  });

  it('tells what its server refused and never what it sent', async () => {
    const error = await connected.client
      .request('/api/v1/secrets')
      .then(() => undefined)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KubernetesError);
    expect(error).toMatchObject({ status: 403, reason: 'Forbidden' });
    expect(JSON.stringify([error, String(error)])).not.toContain(connected.access().token);
  });
});
