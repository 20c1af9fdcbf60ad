/** The reflector against a real kube-apiserver over a bad network. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import {
  createKubernetesClient,
  type KubernetesClient,
} from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { createObjectStore, type ObjectStore } from '../../../rbac-sync/cluster/object-store.ts';
import { type Reflector, startReflector } from '../../../rbac-sync/cluster/reflector.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  ensurePlane,
  type TestCluster,
  type TestProvisioner,
  testLog,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const WORKSPACE = createId();
const PATH = '/api/v1/namespaces/default/configmaps';

let stack: AsyncDisposableStack;
let planes: TestProvisioner;
let cluster: TestCluster;
let proxy: TcpProxy;
let client: KubernetesClient;
let store: ObjectStore;
let changes: number;
let reflector: Reflector | undefined;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  planes = stack.use(await createTestProvisioner());
  cluster = stack.use(await connectTestCluster(planes, WORKSPACE));
  proxy = stack.use(await startTcpProxy(Number(new URL(cluster.plane.server).port)));
  client = stack.use(
    createKubernetesClient({
      server: `https://127.0.0.1:${proxy.port}`,
      certificateAuthority: cluster.plane.certificateAuthority,
      credential: await cluster.plane.bootstrapCredential(),
    }),
  );
});
afterAll(() => stack.disposeAsync());
beforeEach(() => {
  store = createObjectStore();
  changes = 0;
});
afterEach(async () => {
  await reflector?.[Symbol.asyncDispose]();
  await cluster.root.request(PATH, { method: 'DELETE', query: { labelSelector: 'test=yes' } });
});

const start = async (
  options: Partial<Parameters<typeof startReflector>[0]> = {},
): Promise<Reflector> => {
  reflector = startReflector({
    client,
    path: PATH,
    kind: 'ConfigMap',
    labelSelector: 'test=yes',
    store,
    onChange: () => {
      changes += 1;
    },
    log: testLog,
    times: { backoffBase: 20, backoffCap: 100 },
    ...options,
  });
  await reflector.synced;
  return reflector;
};
const create = (name: string) =>
  cluster.root.request(PATH, {
    method: 'POST',
    body: { metadata: { name, labels: { test: 'yes' } } },
  });
const names = () => Array.from(store.values(), ({ metadata }) => metadata.name).toSorted();
const untilNames = (...expected: string[]) =>
  poll(`${expected}`, async () => JSON.stringify(names()) === JSON.stringify(expected));

const restartApiserver = async (): Promise<void> => {
  const pidFile = join(planes.directory, WORKSPACE, 'kube-apiserver.pid');
  const pid = Number(await readFile(pidFile, 'utf8'));
  process.kill(pid, 'SIGKILL');
  await poll('its end', async () => {
    await ensurePlane(planes.provisioner, WORKSPACE);
    return Number(await readFile(pidFile, 'utf8')) !== pid;
  });
};

describe('a reflector', () => {
  it('holds what is there, and follows', async () => {
    await create('a');
    await start();
    expect(names()).toEqual(['a']);
    await create('b');
    await untilNames('a', 'b');
    await cluster.root.request(`${PATH}/a`, { method: 'DELETE' });
    await untilNames('b');
    expect(changes).toBeGreaterThanOrEqual(3);
  });

  it('sees only what carries the label, also when it loses it', async () => {
    await create('a');
    await start();
    await cluster.root.request(`${PATH}/a`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { test: 'no' } } },
    });
    await untilNames();
    await cluster.root.request(`${PATH}/a`, { method: 'DELETE' });
  });

  it('reads long lists page by page', async () => {
    const all = Array.from({ length: 501 }, (_, n) => `c${n}`);
    await Promise.all(all.map(create));
    await start();
    expect(names()).toEqual(all.toSorted());
  });

  it('goes on after its connections are reset, again and again', async () => {
    await start();
    for (const name of ['a', 'b', 'c']) {
      proxy.reset();
      await create(name);
      await poll(name, async () => names().includes(name));
    }
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  it('tells that it was blind, so that someone looks', async () => {
    await start();
    await create('a');
    await untilNames('a');
    const before = changes;
    proxy.reset();
    await poll('the signal', async () => changes > before);
  });

  it('notices a connection that went silent', async () => {
    await start({ times: { inactivity: 500, backoffBase: 20, backoffCap: 100 } });
    await create('a');
    await untilNames('a');
    const before = changes;
    proxy.freeze();
    try {
      await poll('the signal', async () => changes > before);
      await create('b');
      expect(names()).toEqual(['a']);
    } finally {
      proxy.resume();
      // What was swallowed has broken the encryption of the connections that are left.
      proxy.reset();
    }
    await untilNames('a', 'b');
  });

  it('lists again when it is told that its version is gone', async () => {
    // A restarted API server knows nothing of versions from before.
    await create('before');
    await restartApiserver();
    let tries = 0;
    const stale: Pick<KubernetesClient, 'request' | 'watch'> = {
      request: client.request,
      watch: (path, query, signal) => {
        tries += 1;
        return client.watch(path, tries === 1 ? { ...query, resourceVersion: '2' } : query, signal);
      },
    };
    await start({ client: stale });
    await create('a');
    await untilNames('a', 'before');
    expect(tries).toBeGreaterThan(1);
  });

  it('starts over when a line is not an event', async () => {
    let tries = 0;
    const garbled: Pick<KubernetesClient, 'request' | 'watch'> = {
      request: client.request,
      watch: (path, query, signal) => {
        tries += 1;
        if (tries > 1) return client.watch(path, query, signal);
        return (async function* () {
          yield null;
        })();
      },
    };
    await start({ client: garbled });
    await create('a');
    await untilNames('a');
  });

  it('lists now and then by itself', async () => {
    let lists = 0;
    const counting: Pick<KubernetesClient, 'request' | 'watch'> = {
      watch: client.watch,
      request: (path, options) => {
        lists += 1;
        return client.request(path, options);
      },
    };
    await start({ client: counting, times: { relist: 500, backoffBase: 20, backoffCap: 100 } });
    await poll('a second list', async () => lists >= 2);
  });

  it('stops when told to', async () => {
    const running = await start();
    await running[Symbol.asyncDispose]();
    await create('late');
    await start();
    expect(names()).toEqual(['late']);
  });
});
