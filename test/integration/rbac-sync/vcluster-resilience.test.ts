/** rbac-sync as a process that is killed while helm is at work, and the one that comes after it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { hostNames } from '../../../rbac-sync/provisioners/vcluster/names.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { poll } from '../../support/poll.ts';
import { CHART_VERSIONS, startTestHost, type TestHost } from '../../support/vcluster-host.ts';
import { aProject, insertWorkspace } from '../../support/workspace-rows.ts';

const MAIN = fileURLToPath(new URL('../../../rbac-sync/main.ts', import.meta.url));

let stack: AsyncDisposableStack;
let database: TestDatabase;
let host: TestHost;
let directory: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  host = stack.use(await startTestHost());
  directory = await mkdtemp(join(tmpdir(), 'hexabase-vcluster-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
});
afterAll(() => stack.disposeAsync());

/** rbac-sync as it runs in production, in a process group of its own, which helm is part of. */
const startProcess = async (helm: string): Promise<ChildProcess> => {
  const authority = join(directory, 'issuer.pem');
  await writeFile(authority, host.issuer.certificateAuthority);
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      // It is killed, and leaves what it had there.
      TMPDIR: directory,
      DATABASE_URL: database.urlFor('hexabase_rbac_sync'),
      NODE_ENV: 'test',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
      PORT: '0',
      ISSUER_URL: host.issuer.url,
      ISSUER_CERTIFICATE_AUTHORITY_PATH: authority,
      ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      PROVISIONER: 'vcluster',
      HOST_KUBECONFIG: host.kubeconfig,
      VCLUSTER_HELM: helm,
      VCLUSTER_CHART_REPOSITORY: host.charts.url,
      VCLUSTER_CHART_VERSION: CHART_VERSIONS[0],
      VCLUSTER_TIMEOUT_SECONDS: '60',
    },
    stdio: 'inherit',
    detached: true,
  });
  stack.defer(() => killGroup(child));
  return child;
};

const killGroup = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null || !child.pid) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await exited;
};

/** A helm that stops for good right after the host has its first object of the release. */
const stallingHelm = async (): Promise<string> => {
  const path = join(directory, 'stalling-helm');
  const script = [
    '#!/bin/sh',
    `"${inject('helm')}" "$@" &`,
    'helm=$!',
    // While it waits for the answer to its first object, "pending" is what the host knows.
    `while ! "${inject('kubectl')}" --kubeconfig "${host.kubeconfig}" get secret -A -l owner=helm -o name | grep -q .; do :; done`,
    'kill -STOP "$helm"',
    'wait "$helm"',
  ];
  await writeFile(path, script.join('\n'), { mode: 0o755 });
  return path;
};

it('is finished by its successor, whatever helm had got to', async () => {
  const first = await startProcess(await stallingHelm());
  const workspace = await insertWorkspace(database);
  const { namespace } = hostNames(workspace.id);
  const statuses = async (): Promise<string[]> => {
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const answer = await host.root.request(path, { query: { labelSelector: 'owner=helm' } });
    const { items } = answer as { items: { metadata: { labels: { status: string } } }[] };
    return items.map(({ metadata }) => metadata.labels.status);
  };
  await poll('helm to be at work', async () => (await statuses()).length > 0, 40_000);
  await killGroup(first);
  const left = await statuses();
  expect(left).toHaveLength(1);

  await startProcess(inject('helm'));
  expect(await workspace.untilObserved(1, 170_000)).toMatchObject({ state: 'succeeded' });
  expect(await statuses()).toEqual(expect.arrayContaining(['deployed']));
  expect(await statuses()).not.toEqual(expect.arrayContaining(['pending-install']));
  await workspace.change('project.create', aProject(workspace.id, 'shop'));
}, 240_000);
