/** A workspace on a real control plane whose API server tells who wrote what, and its drift ledger. */
import type { DriftActor, DriftDifference, DriftOpening } from '#domain/drift.ts';
import type {
  KubernetesClient,
  RequestOptions,
} from '../../rbac-sync/cluster/kubernetes-client.ts';
import type { Provisioner } from '../../rbac-sync/provisioners/provisioner.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  startTestAudit,
  startTestController,
  type TestCluster,
  type TestController,
} from './kube.ts';
import { poll } from './poll.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from './workspace-rows.ts';

/** A row of the ledger. */
export type DriftRow = {
  readonly id: string;
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly change: string;
  readonly action: string;
  readonly reason: string;
  readonly managers: string[];
  readonly actor: DriftActor | null;
  readonly differences: DriftDifference[];
  readonly opened: DriftOpening[];
  readonly resolved_at: Date | null;
  readonly retry_at: Date | null;
};

/** What a test of drift works with. */
export type DriftWorld = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly workspace: WorkspaceRows;
  readonly cluster: TestCluster;
  readonly sync: TestController;
  /** For another controller. */
  readonly provisioner: Provisioner;
  /** All rows of objects of this name, the oldest first. */
  readonly rows: (name: string) => Promise<DriftRow[]>;
  /** The newest row of an object, once it is as wanted. */
  readonly untilRow: (name: string, isSo: (row: DriftRow) => boolean) => Promise<DriftRow>;
  readonly condition: (
    type: string,
  ) => Promise<{ status: string; reason: string; message: string }>;
  readonly setMode: (mode: 'enforce' | 'observe' | 'adopt') => Promise<void>;
};

// Who fights us is named after several looks, each of which waits for a proof.
const UNTIL_MS = 50_000;

/** A workspace with a project `shop`, looked after. */
export const startDriftWorld = async (): Promise<DriftWorld> => {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const audit = cleanup.use(await startTestAudit(database));
  const planes = cleanup.use(await createTestProvisioner(audit));
  const sync = cleanup.use(await startTestController(database, planes.provisioner));
  const workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  const cluster = cleanup.use(await connectTestCluster(planes, workspace.id));
  await workspace.change('project.create', aProject(workspace.id, 'shop'));
  const rows = (name: string) =>
    database.query<DriftRow>(
      'SELECT * FROM drift WHERE workspace_id = $1 AND name = $2 ORDER BY id',
      [workspace.id, name],
    );
  const resources = cleanup.move();
  return {
    database,
    workspace,
    cluster,
    sync,
    provisioner: planes.provisioner,
    rows,
    untilRow: (name, isSo) =>
      poll(
        `a row of ${name}`,
        async () => {
          const found = (await rows(name)).at(-1);
          if (found && isSo(found)) return found;
          throw new Error(JSON.stringify([await rows(name), (await workspace.row()).conditions]));
        },
        UNTIL_MS,
      ),
    condition: async (type) => {
      const found = (await workspace.row()).conditions.find((each) => each.type === type);
      if (!found) throw new Error(`no condition ${type}`);
      return found;
    },
    // A look that is under way goes on in the mode that it began with: this waits for one that began later.
    setMode: async (mode) => {
      const [row] = await database.query<{ generation: string }>(
        `UPDATE workspace SET drift_mode = $2, generation = generation + 1 WHERE id = $1
         RETURNING generation`,
        [workspace.id, mode],
      );
      sync.controller.enqueue(workspace.id);
      await poll('a look in the new mode', async () => {
        const { observed_generation } = await workspace.row();
        return BigInt(observed_generation) >= BigInt(row?.generation ?? 0);
      });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** Root, in the name of a person with a name and a tool, as someone with the cluster's own key would be. */
export const impersonate = (
  client: KubernetesClient,
  username: string,
): Pick<KubernetesClient, 'request'> => ({
  request: (path: string, options: RequestOptions = {}) =>
    client.request(path, {
      ...options,
      query: { fieldManager: 'kubectl-edit', ...options.query },
      headers: {
        'impersonate-user': username,
        'impersonate-group': 'system:masters',
        'user-agent': 'kubectl/v1.35.4',
        ...options.headers,
      },
    }),
});

/** A JSON merge patch. */
export const mergePatch = (body: object): RequestOptions => ({
  method: 'PATCH',
  contentType: 'application/merge-patch+json',
  body,
});

/** Base path of RBAC, for one namespace or for the cluster. */
export const rbacPath = (namespace?: string): string =>
  `/apis/rbac.authorization.k8s.io/v1${namespace === undefined ? '' : `/namespaces/${namespace}`}`;
