/** A workspace with a project, a role and a grant, put right by rbac-sync and then left alone, to be diffed. */
import { isDeepStrictEqual } from 'node:util';
import type { DatabasePool } from 'slonik';
import { expect } from 'vitest';
import type { ClusterDiff } from '#domain/cluster-diff.ts';
import { releaseLeases } from '../../rbac-sync/queue/leases.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { answerAs, insertDiff, readDiff } from './diffs.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  startTestController,
  type TestCluster,
  type TestController,
  type TestProvisioner,
} from './kube.ts';
import { poll } from './poll.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  insertWorkspace,
  READ_PODS,
  type WorkspaceRows,
} from './workspace-rows.ts';

/** Where RBAC's objects are. */
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Who answers the diffs of the tests. */
export const WORKER = 'the-test';

/** A workspace whose cluster nobody changes but the test. */
export type DiffedWorkspace = AsyncDisposable & {
  readonly database: TestDatabase;
  /** As rbac-sync. */
  readonly db: DatabasePool;
  readonly planes: TestProvisioner;
  readonly workspace: WorkspaceRows;
  readonly cluster: TestCluster;
  /** A diff that was asked for before there was a cluster. */
  readonly early: string;
  readonly startSync: () => Promise<TestController>;
  /** Has rbac-sync put everything right, and stops it. */
  readonly settle: () => Promise<void>;
  /** Asks, answers and proves that nothing was touched. */
  readonly diff: () => Promise<ClusterDiff>;
};

/** Makes it; dispose of it in `afterAll`. */
export const createDiffedWorkspace = async (): Promise<DiffedWorkspace> => {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const db = await database.connectAs('hexabase_rbac_sync');
  const planes = cleanup.use(await createTestProvisioner());
  const workspace = await insertWorkspace(database);
  const startSync = () =>
    startTestController(database, planes.provisioner, { pollIntervalMs: 200 });
  const settle = async (): Promise<void> => {
    await releaseLeases(db, WORKER);
    await using _sync = await startSync();
    // A generation that nothing else was seen of, so that this is a whole look.
    await workspace.untilObserved(await workspace.changeSilently('test.settle'), 60_000);
  };
  await workspace.changeSilently(
    'project.create',
    aProject(workspace.id, 'shop'),
    aGroup(workspace.id, 'on-call'),
    aProjectRole(workspace.id, 'shop', 'pod-reader', READ_PODS),
    anAssignment(workspace.id, 'on-call', 'shop', 'pod-reader'),
  );
  const early = await insertDiff(database, workspace.id);
  await settle();
  const cluster = cleanup.use(await connectTestCluster(planes, workspace.id));
  const diff = async (): Promise<ClusterDiff> => {
    const id = await insertDiff(database, workspace.id);
    await untilCounted(cluster);
    const before = await listVersions(cluster);
    await answerAs(db, WORKER, workspace.id);
    expect(await listVersions(cluster)).toEqual(before);
    const { state, error, result } = await readDiff(database, id);
    expect({ state, error }).toEqual({ state: 'succeeded', error: null });
    return result!;
  };
  const resources = cleanup.move();
  const parts = { database, db, planes, workspace, cluster, early, startSync, settle, diff };
  return { ...parts, [Symbol.asyncDispose]: () => resources.disposeAsync() };
};

/** What a list of objects answers. */
export type Listed = {
  items: { metadata: { name: string; namespace?: string; resourceVersion: string } }[];
};

/** Kubernetes writes to a new quota too, when it has counted what there is. */
const untilCounted = (cluster: TestCluster) =>
  poll('every quota’s count', async () => {
    const { items } = (await cluster.root.request('/api/v1/resourcequotas')) as {
      items: { spec: { hard: object }; status?: { hard?: object } }[];
    };
    return items.every(({ spec, status }) => isDeepStrictEqual(spec.hard, status?.hard));
  });

/** Every object that a diff could touch, with its version. */
const listVersions = async (cluster: TestCluster): Promise<string[]> => {
  const collections = [
    '/api/v1/namespaces',
    '/api/v1/resourcequotas',
    '/api/v1/limitranges',
    `${RBAC}/roles`,
    `${RBAC}/rolebindings`,
    `${RBAC}/clusterrolebindings`,
  ];
  const lists = await Promise.all(
    collections.map(async (path) => {
      const { items } = (await cluster.root.request(path)) as Listed;
      return items.map(
        ({ metadata: { namespace, name, resourceVersion } }) =>
          `${path} ${namespace ?? ''}/${name} ${resourceVersion}`,
      );
    }),
  );
  return lists.flat();
};
