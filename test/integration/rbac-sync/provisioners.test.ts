/** Several provisioners at once: which one a workspace gets, and that it keeps it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  createTestProvisioner,
  startTestController,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let sync: TestController;
let workspace: WorkspaceRows;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  planes = stack.use(await createTestProvisioner());
  sync = stack.use(await startTestController(database, planes.provisioner));
  workspace = await insertWorkspace(database, async () => {});
});
afterAll(() => stack.disposeAsync());

const ask = async (provisioner: string | null): Promise<void> => {
  await database.query('UPDATE workspace SET provisioner = $2 WHERE id = $1', [
    workspace.id,
    provisioner,
  ]);
  sync.controller.enqueue(workspace.id);
};
const provisioned = async () =>
  (await workspace.row()).conditions.find(({ type }) => type === 'Provisioned');
const recorded = () =>
  database.query<{ provisioner: string; server: string | null }>(
    'SELECT provisioner, server FROM workspace_cluster WHERE workspace_id = $1',
    [workspace.id],
  );
const untilReason = (reason: string) =>
  poll(`the reason ${reason}`, async () => (await provisioned())?.reason === reason, 90_000);

describe('a workspace that asks for a provisioner', () => {
  it('is told that it is not set up, and nothing is made', async () => {
    await ask('elsewhere');
    await untilReason('ProvisionerMissing');
    expect((await provisioned())?.message).toMatch(/"elsewhere".*there are: local/);
    expect(await recorded()).toEqual([]);
  });

  it('gets the default when it asks for none, on record from then on', async () => {
    await ask(null);
    await untilReason('Running');
    expect(await recorded()).toEqual([{ provisioner: 'local', server: expect.any(String) }]);
  });

  it('keeps what it has when its row asks for another', async () => {
    const before = await recorded();
    await ask('elsewhere');
    await untilReason('ProvisionerChanged');
    expect((await provisioned())?.message).toMatch(/"local".*"elsewhere".*set it back/);
    expect(await recorded()).toEqual(before);
    await ask('local');
    await untilReason('Running');
  });
});
