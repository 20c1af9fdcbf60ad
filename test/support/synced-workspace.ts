/** A workspace on a real control plane, looked after by rbac-sync and in sync: what most of its tests begin with. */
import { findObject } from '../../rbac-sync/cluster/object-requests.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  startTestController,
  type TestCluster,
  type TestController,
  type TestProvisioner,
} from './kube.ts';
import { poll } from './poll.ts';
import { insertWorkspace, type WorkspaceRows } from './workspace-rows.ts';

/** What there is; disposal stops all of it. */
export type SyncedWorkspace = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly planes: TestProvisioner;
  readonly sync: TestController;
  readonly workspace: WorkspaceRows;
  readonly cluster: TestCluster;
};

/** Resolves when the workspace's creation is in force. */
export const startSyncedWorkspace = async (
  options: { readonly pollIntervalMs?: number } = {},
): Promise<SyncedWorkspace> => {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const planes = cleanup.use(await createTestProvisioner());
  const sync = cleanup.use(await startTestController(database, planes.provisioner, options));
  const workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  const cluster = cleanup.use(await connectTestCluster(planes, workspace.id));
  const resources = cleanup.move();
  return {
    database,
    planes,
    sync,
    workspace,
    cluster,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** What the tests look at of an object. */
export type Found = {
  readonly metadata: { readonly uid: string; readonly labels?: Readonly<Record<string, string>> };
  readonly roleRef?: unknown;
};

/** An object as root sees it; `undefined` when it isn't there. */
export const find = ({ root }: Pick<TestCluster, 'root'>, path: string) =>
  findObject(root, path) as Promise<Found | undefined>;

/** Makes an object as root. @param path of its collection */
export const make = ({ root }: Pick<TestCluster, 'root'>, path: string, body: object) =>
  root.request(path, { method: 'POST', body });

/** The condition Synced of a workspace, as it is now. */
export const syncedOf = async (workspace: Pick<WorkspaceRows, 'row'>) =>
  (await workspace.row()).conditions.find(({ type }) => type === 'Synced');

/** Resolves with the condition Synced once it has the status and says the text. */
export const untilSaid = (
  workspace: Pick<WorkspaceRows, 'row'>,
  status: string,
  text: string | RegExp,
) =>
  poll(`"${text}" to be said`, async () => {
    const condition = await syncedOf(workspace);
    if (condition?.status === status && condition.message.match(text)) return condition;
    throw new Error(JSON.stringify(condition));
  });

/** Somebody's groups, and something that they may get. */
export type Entitlement = {
  readonly groups: readonly string[];
  readonly resource: string;
  readonly namespace: string;
};

/** What the API server says of it, by SubjectAccessReview. */
export const isAllowed = async (
  { root }: Pick<TestCluster, 'root'>,
  { groups, resource, namespace }: Entitlement,
): Promise<boolean> => {
  const answer = await root.request('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    method: 'POST',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        groups: groups.map((group) => `hexabase:${group}`),
        resourceAttributes: { verb: 'get', resource, namespace },
      },
    },
  });
  return (answer as { status: { allowed: boolean } }).status.allowed;
};
