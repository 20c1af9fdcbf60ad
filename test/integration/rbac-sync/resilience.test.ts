/** rbac-sync as processes that die, replicas that take over, and credentials that run out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDoorbell, DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import {
  acquireLease,
  LEASE_SECONDS,
  LeaseLostError,
  releaseLeases,
  renewLeases,
  withLease,
} from '../../../rbac-sync/queue/leases.ts';
import { saveObserved } from '../../../rbac-sync/workspace/task-queries.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  startTestController,
  type TestProvisioner,
  testLog,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

const MAIN = fileURLToPath(new URL('../../../rbac-sync/main.ts', import.meta.url));

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let workspace: WorkspaceRows;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  planes = stack.use(await createTestProvisioner());
});
afterAll(() => stack.disposeAsync());

const findFreePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address ? address.port : 0;
};

/** rbac-sync as it runs in production, over the same directory as the test's provisioner. */
const startProcess = async (): Promise<{ child: ChildProcess; port: number }> => {
  const port = await findFreePort();
  const authority = join(planes.directory, 'issuer.pem');
  await writeFile(authority, planes.issuer.certificateAuthority);
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: database.urlFor('hexabase_rbac_sync'),
      NODE_ENV: 'test',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
      PORT: `${port}`,
      ISSUER_URL: planes.issuer.url,
      ISSUER_CERTIFICATE_AUTHORITY_PATH: authority,
      ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      LOCAL_PROVISIONER_DIRECTORY: planes.directory,
      LOCAL_PROVISIONER_BINARIES: inject('controlPlaneDirectory'),
    },
    stdio: 'inherit',
  });
  stack.defer(() => {
    child.kill('SIGKILL');
  });
  return { child, port };
};

const stopProcess = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
};
const pidOf = async (program: string): Promise<number> =>
  Number(await readFile(join(planes.directory, workspace.id, `${program}.pid`), 'utf8'));
const isAlive = async (pid: number): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';

describe('rbac-sync, killed while it provisions', () => {
  it('leaves the control plane running, and its successor finishes with that one', async () => {
    const first = await startProcess();
    workspace = await insertWorkspace(database);
    await poll('provisioning to be under way', async () => {
      const [task] = await database.query<{ progress: number }>(
        'SELECT progress FROM task WHERE workspace_id = $1',
        [workspace.id],
      );
      return (task?.progress ?? 0) >= 40;
    });
    await stopProcess(first.child, 'SIGKILL');
    const killedAt = Date.now();
    const etcd = await pidOf('etcd');
    expect(await isAlive(etcd)).toBe(true);

    const second = await startProcess();
    expect(await workspace.untilObserved(1)).toMatchObject({ state: 'succeeded' });
    expect(Date.now() - killedAt).toBeLessThan(30_000 + 15_000);
    expect(await pidOf('etcd')).toBe(etcd);
    await workspace.change('project.create', aProject(workspace.id, 'shop'));

    const ready = await fetch(`http://127.0.0.1:${second.port}/readyz`);
    expect(ready.status).toBe(200);
    const metrics = await (await fetch(`http://127.0.0.1:${second.port}/metrics`)).text();
    expect(metrics).toMatch(/^workqueue_depth\{service="rbac-sync"\} 0$/m);
    await stopProcess(second.child, 'SIGTERM');
    expect(second.child.exitCode).toBe(0);
    expect(await isAlive(etcd)).toBe(false);
  });

  it('leaves no process behind when it is told to stop in the middle', async () => {
    const { child } = await startProcess();
    const other = await insertWorkspace(database);
    await poll('provisioning to be under way', async () => {
      const [task] = await database.query<{ progress: number }>(
        'SELECT progress FROM task WHERE workspace_id = $1',
        [other.id],
      );
      return (task?.progress ?? 0) >= 40;
    });
    const directory = join(planes.directory, other.id);
    const etcd = Number(await readFile(join(directory, 'etcd.pid'), 'utf8'));
    expect(await isAlive(etcd)).toBe(true);
    await stopProcess(child, 'SIGTERM');
    expect(await isAlive(etcd)).toBe(false);
    await database.query('DELETE FROM workspace WHERE id = $1', [other.id]);
  });

  it('keeps every file of a control plane to itself', async () => {
    const directory = join(planes.directory, workspace.id);
    for (const name of ['pki/sa.key', 'pki/apiserver.key', 'authentication.yaml', 'etcd.log']) {
      expect((await stat(join(directory, name))).mode & 0o077).toBe(0);
    }
    expect((await stat(directory)).mode & 0o077).toBe(0);
  });
});

describe('a control plane', () => {
  it('is started again with its data, at the same address', async () => {
    const [before] = await database.query('SELECT server FROM workspace_cluster');
    await using sync = await startTestController(database, planes.provisioner);
    sync.controller.enqueue(workspace.id);
    await workspace.change('project.create', aProject(workspace.id, 'blog'));
    const [after] = await database.query('SELECT server FROM workspace_cluster');
    expect(after).toEqual(before);
    await using cluster = await connectTestCluster(planes, workspace.id);
    await expect(cluster.root.request('/api/v1/namespaces/shop')).resolves.toBeDefined();
  });

  it('that dies comes back without any event from us', async () => {
    await using _sync = await startTestController(database, planes.provisioner);
    await workspace.change('project.create', aProject(workspace.id, 'docs'));
    const apiserver = await pidOf('kube-apiserver');
    process.kill(apiserver, 'SIGKILL');
    await poll('another kube-apiserver', async () => {
      const pid = await pidOf('kube-apiserver');
      return pid !== apiserver && (await isAlive(pid));
    });
    await workspace.change('project.create', aProject(workspace.id, 'wiki'));
  });
});

describe('the sync identity’s token', () => {
  const setExpiry = (interval: string) =>
    database.query(
      `UPDATE workspace_cluster SET token_expires_at = now() + $2::interval WHERE workspace_id = $1`,
      [workspace.id, interval],
    );
  const secondsLeft = async (): Promise<number> => {
    const [row] = await database.query<{ left: string }>(
      `SELECT extract(epoch FROM token_expires_at - now()) AS left FROM workspace_cluster WHERE workspace_id = $1`,
      [workspace.id],
    );
    return Number(row?.left);
  };

  it.each([
    ['is renewed in its second half', '10 minutes'],
    ['is made anew after it has run out while nobody was here', '-1 hour'],
  ])('%s', async (_name, interval) => {
    await setExpiry(interval);
    await using sync = await startTestController(database, planes.provisioner);
    await workspace.change('nothing');
    sync.controller.enqueue(workspace.id);
    await poll('a fresh token', async () => (await secondsLeft()) > 3000);
    await workspace.change('nothing');
  });
});

describe('a controller', () => {
  it('hears of changes over NATS', async () => {
    const natsUrl = inject('natsUrl');
    await using sync = await startTestController(database, planes.provisioner, { natsUrl });
    await using elsewhere = await createDoorbell({
      databaseUrl: database.urlFor('hexabase_tenancy_api'),
      natsUrl,
      log: testLog,
    });
    const generation = await workspace.changeSilently('nothing');
    await poll('the change', async () => {
      await elsewhere.ring(DOORBELL_SUBJECTS.workspaceChanged, workspace.id);
      return Number((await workspace.row()).observed_generation) === generation;
    });
    expect(await sync.metrics.metrics()).toMatch(/^workqueue_adds_total [1-9]/m);
  });
});

describe('a lease', () => {
  it('is one replica’s until it runs out, and then another’s with a larger fencing token', async () => {
    const db = await database.connectAs('hexabase_rbac_sync');
    await releaseLeases(db, 'nobody');
    const first = await acquireLease(db, workspace.id, 'first');
    expect(first).toBeDefined();
    expect(await acquireLease(db, workspace.id, 'second')).toBeUndefined();
    expect(await acquireLease(db, workspace.id, 'first')).toEqual(first);
    expect(await renewLeases(db, 'first')).toEqual([workspace.id]);

    await database.query(`UPDATE workspace_lease SET expires_at = now() - interval '1 second'`);
    expect(await renewLeases(db, 'first')).toEqual([]);
    const second = await acquireLease(db, workspace.id, 'second');
    expect(second?.fencingToken).toBe((first?.fencingToken ?? 0) + 1);
    await releaseLeases(db, 'second');
    expect(LEASE_SECONDS).toBeLessThanOrEqual(30);
  });

  it('lets nobody write who has lost it', async () => {
    const db = await database.connectAs('hexabase_rbac_sync');
    const lost = await acquireLease(db, workspace.id, 'sleeper');
    if (!lost) throw new Error('the lease was not free');
    await database.query(`UPDATE workspace_lease SET expires_at = now() - interval '1 second'`);
    await acquireLease(db, workspace.id, 'successor');
    const before = await workspace.row();
    await expect(
      withLease(db, lost, (transaction) =>
        saveObserved(transaction, { workspaceId: workspace.id, generation: 999 }, []),
      ),
    ).rejects.toThrow(LeaseLostError);
    expect(await workspace.row()).toEqual(before);
    await releaseLeases(db, 'successor');
  });

  it('is given to one of two replicas, and to the other when that one stops', async () => {
    const first = await startTestController(database, planes.provisioner);
    await using second = await startTestController(database, planes.provisioner, {
      pollIntervalMs: 100,
    });
    await workspace.change('nothing');
    const holder = async () => {
      const [row] = await database.query<{ worker: string }>('SELECT worker FROM workspace_lease');
      return row?.worker;
    };
    const workers = [first.controller.worker, second.controller.worker];
    expect(workers).toContain(await holder());
    await first[Symbol.asyncDispose]();
    await workspace.change('nothing');
    expect(await holder()).toBe(second.controller.worker);
  });
});

describe('removing a control plane', () => {
  it('takes its processes and its data, and can be done twice', async () => {
    const etcd = await pidOf('etcd');
    await planes.provisioner.remove(workspace.id);
    expect(await isAlive(etcd)).toBe(false);
    await expect(stat(join(planes.directory, workspace.id))).rejects.toThrow(/ENOENT/);
    await planes.provisioner.remove(workspace.id);
  });
});
