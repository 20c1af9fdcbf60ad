/** Workspaces that are suspended, resumed, deleted and restored: on a real control plane. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import {
  connectTestCluster,
  ensurePlane,
  provisionerIn,
  startTestController,
  type TestCluster,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startSyncedWorkspace } from '../../support/synced-workspace.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let sync: TestController;
let workspace: WorkspaceRows;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const world = stack.use(await startSyncedWorkspace(POLL));
  ({ database, planes, sync, workspace } = world);
  await workspace.change('project.create', aProject(workspace.id, 'shop'));
});
afterAll(() => stack.disposeAsync());

/** Looks often: the end of a grace period rings nobody. */
const POLL = { pollIntervalMs: 200 };
const startSync = () => startTestController(database, planes.provisioner, POLL);

const set = (assignment: string, id = workspace.id) =>
  [`UPDATE workspace SET ${assignment} WHERE id = $1`, id] as const;
const conditions = async (of = workspace) =>
  Object.fromEntries((await of.row()).conditions.map((each) => [each.type, each]));
const serverOf = async (id = workspace.id): Promise<URL> => {
  const [row] = await database.query<{ server: string }>(
    'SELECT server FROM workspace_cluster WHERE workspace_id = $1',
    [id],
  );
  return new URL(row?.server ?? '');
};
const listens = async (id?: string): Promise<boolean> => {
  const { hostname, port } = await serverOf(id);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
};
const inCluster = async <Result>(work: (cluster: TestCluster) => Promise<Result>) => {
  await using cluster = await connectTestCluster(planes, workspace.id);
  return await work(cluster);
};

describe('a suspended workspace', () => {
  it('is stopped when the task ends, and says so; what was under way is called off', async () => {
    await sync[Symbol.asyncDispose]();
    const pending = await workspace.changeSilently(
      'project.create',
      aProject(workspace.id, 'late'),
    );
    const generation = await workspace.changeSilently(
      'workspace.suspend',
      set('suspended_at = now()'),
    );
    sync = stack.use(await startSync());
    expect(await workspace.untilObserved(generation)).toMatchObject({ state: 'succeeded' });
    expect(await workspace.untilObserved(pending)).toMatchObject({
      state: 'cancelled',
      error: expect.stringContaining('resumed'),
    });
    expect(await listens()).toBe(false);
    expect(await conditions()).toMatchObject({
      Provisioned: { status: 'False', reason: 'Suspended' },
      TrustsIssuer: { status: 'Unknown' },
      Synced: { status: 'Unknown' },
      Drifted: { status: 'Unknown' },
    });
  });

  it('stays stopped, also when its processes come back by themselves', async () => {
    // A look that goes on still would stop them before they are up.
    await sync[Symbol.asyncDispose]();
    await using stray = provisionerIn(planes.directory, planes.issuer);
    await ensurePlane(stray, workspace.id);
    expect(await listens()).toBe(true);
    sync = stack.use(await startSync());
    await poll('the control plane to be stopped', async () => !(await listens()));
  });

  it('goes on where it was when it is resumed, verified, with what came meanwhile', async () => {
    const task = await workspace.change('workspace.resume', set('suspended_at = NULL'));
    expect(task).toMatchObject({ state: 'succeeded', error: null });
    expect(await conditions()).toMatchObject({
      Provisioned: { status: 'True' },
      TrustsIssuer: { status: 'True' },
      Synced: { status: 'True' },
      Drifted: { status: 'False' },
    });
    await inCluster(async ({ root, asMember }) => {
      await root.request('/api/v1/namespaces/late');
      const admin = await asMember(['WSAdmins']);
      await admin.request('/api/v1/namespaces/shop/secrets');
    });
  });

  it('is also one whose organization is being deleted, without anyone ringing', async () => {
    const organization = (value: string) =>
      database.query(
        `UPDATE organization SET delete_after = ${value}
         WHERE id = (SELECT organization_id FROM workspace WHERE id = $1)`,
        [workspace.id],
      );
    await organization(`now() + interval '1 day'`);
    await poll(
      'the condition',
      async () => (await conditions())['Provisioned']?.reason === 'Suspended',
    );
    expect((await conditions())['Provisioned']?.message).toContain('goes for good after');
    expect(await listens()).toBe(false);
    await organization('NULL');
    await poll('it to run again', async () => (await conditions())['Synced']?.status === 'True');
    expect(await listens()).toBe(true);
  });
});

describe('a deleted workspace', () => {
  it('is stopped at once, and gone with everything when its time is over', async () => {
    const doomed = await insertWorkspace(database);
    await doomed.untilObserved(1, 120_000);
    const directory = join(planes.directory, doomed.id);
    const task = await doomed.change(
      'workspace.delete',
      set(`delete_after = now() + interval '1 hour'`, doomed.id),
    );
    expect(task.state).toBe('succeeded');
    expect(await listens(doomed.id)).toBe(false);
    expect(existsSync(directory)).toBe(true);
    expect((await conditions(doomed))['Provisioned']).toMatchObject({ reason: 'Suspended' });

    await database.query(...toQuery(set('delete_after = now()', doomed.id)));
    await poll('the workspace to go', async () => (await rowsOf(doomed.id)) === 0);
    expect(existsSync(directory)).toBe(false);
    const events = await database.query(
      `SELECT actor_id, action, before FROM audit_event WHERE workspace_id = $1`,
      [doomed.id],
    );
    expect(events).toEqual([
      { actor_id: null, action: 'workspace.remove', before: { slug: 'w', name: 'w' } },
    ]);
    const outbox = await database.query(`SELECT kind FROM outbox WHERE workspace_id = $1`, [
      doomed.id,
    ]);
    expect(outbox).toEqual([{ kind: 'workspace.remove' }]);
  });

  it('goes also when its control plane went before, in a life that was cut short', async () => {
    const doomed = await insertWorkspace(database);
    await doomed.untilObserved(1, 120_000);
    await doomed.change(
      'workspace.delete',
      set(`delete_after = now() + interval '1 hour'`, doomed.id),
    );
    await planes.provisioner.remove(doomed.id);
    await database.query(...toQuery(set('delete_after = now()', doomed.id)));
    await poll('the workspace to go', async () => (await rowsOf(doomed.id)) === 0);
  });
});

describe('a restoration at the last moment', () => {
  it('wins over the removal that waits for it', async () => {
    const uidOf = () =>
      inCluster(async ({ root }) => {
        const namespace = await root.request('/api/v1/namespaces/shop');
        return (namespace as { metadata: { uid: string } }).metadata.uid;
      });
    const before = await uidOf();
    await database.query(...toQuery(set(`delete_after = now() + interval '5 seconds'`)));
    await poll(
      'the condition',
      async () => (await conditions())['Provisioned']?.reason === 'Suspended',
    );
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    try {
      await client.query('BEGIN');
      const [text, values] = toQuery(set('delete_after = NULL'));
      await client.query(text, values);
      // Until this commits, everyone else sees a workspace whose time is over.
      await poll('the removal to wait', async () => {
        const waiting = await database.query(
          `SELECT FROM pg_stat_activity, workspace
           WHERE usename = 'hexabase_rbac_sync' AND datname = current_database()
             AND wait_event_type = 'Lock' AND workspace.id = $1 AND delete_after < now()`,
          [workspace.id],
        );
        return waiting.length > 0;
      });
      await client.query('COMMIT');
    } finally {
      await client.end();
    }
    await poll('it to run again', async () => (await conditions())['Synced']?.status === 'True');
    expect(await uidOf()).toBe(before);
  });
});

describe('a deleted organization', () => {
  it('goes when its time is over, after its workspaces', async () => {
    const last = await insertWorkspace(database);
    await last.untilObserved(1, 120_000);
    const [organization] = await database.query<{ id: string }>(
      `UPDATE organization SET delete_after = now()
       WHERE id = (SELECT organization_id FROM workspace WHERE id = $1) RETURNING id`,
      [last.id],
    );
    await poll(
      'the organization to go',
      async () =>
        (await database.query('SELECT FROM organization WHERE id = $1', [organization?.id]))
          .length === 0,
    );
    expect(await rowsOf(last.id)).toBe(0);
    const events = await database.query<{ action: string }>(
      'SELECT action FROM audit_event WHERE organization_id = $1 ORDER BY id',
      [organization?.id],
    );
    expect(events.map(({ action }) => action)).toEqual(['workspace.remove', 'organization.remove']);
  });
});

const toQuery = ([text, ...values]: readonly [string, ...unknown[]]): [string, unknown[]] => [
  text,
  values,
];
const rowsOf = async (id: string): Promise<number> =>
  (await database.query('SELECT FROM workspace WHERE id = $1', [id])).length;
