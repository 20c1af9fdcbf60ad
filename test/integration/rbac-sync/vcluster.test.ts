/** The life of a workspace on a vCluster: made, used, suspended, upgraded and removed on a real host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import type { Provisioner } from '../../../rbac-sync/provisioners/provisioner.ts';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { connectTestCluster, startTestController } from '../../support/kube.ts';
import { startTestHost, type TestHost } from '../../support/vcluster-host.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let host: TestHost;
let provisioner: Provisioner;
let workspace: WorkspaceRows;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  host = stack.use(await startTestHost());
  provisioner = await host.provisionerWith();
  stack.use(await startTestController(database, provisioner, { pollIntervalMs: 200 }));
});
afterAll(() => stack.disposeAsync());

describe('a workspace on a vCluster', () => {
  it('is provisioned, bootstrapped and verified, and its task says so', async () => {
    workspace = await insertWorkspace(database);
    const task = await workspace.untilObserved(1, 40_000);
    expect(host.node.faults).toEqual([]);
    expect(task).toMatchObject({ state: 'succeeded', progress: 100 });
  });

  it('lets members in by their ID tokens, for this workspace only', async () => {
    await workspace.change('project.create', aProject(workspace.id, 'shop'));
    await using cluster = await connectTestCluster(
      { provisioner, issuer: host.issuer },
      workspace.id,
    );
    const admin = await cluster.asMember(['WSAdmins']);
    await expect(admin.request('/api/v1/namespaces/shop/secrets')).resolves.toBeDefined();
    const stranger = await cluster.asMember(['Strangers']);
    await expect(stranger.request('/api/v1/namespaces/shop/secrets')).rejects.toThrow(/forbidden/);
    expect(formatId('workspace', workspace.id)).toBe(hostNames(workspace.id).workspace);
  });
});
