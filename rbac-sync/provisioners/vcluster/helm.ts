/**
 * Releases by the `helm` program. It waits for nothing, so that it is done in seconds and what the pods do
 * is watched by us, with better words; and no lock of its own outlives a crash: a record that says
 * "pending" after its helm must be gone is dropped, and the next helm adopts what that one had made.
 */
import { spawn } from 'node:child_process';
import { stringify } from 'yaml';
import { removeObject } from '../../cluster/object-requests.ts';
import type { ReleaseDelivery } from './delivery.ts';
import type { Host } from './host.ts';
import { helmError, hostError } from './host-errors.ts';
import { listMetadata } from './host-requests.ts';
import type { HostNames } from './names.ts';
import type { Chart } from './settings.ts';
import { type Patience, waitFor } from './wait.ts';

/** What {@link createHelm} needs. */
export type HelmOptions = {
  /** The program, a path or a name on the PATH; version 3 or 4. */
  readonly program: string;
  readonly host: Host;
  readonly chart: Chart;
  /** What helm inherits: PATH, proxies, and its own HELM_* for registries that want credentials. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** After how many milliseconds a helm that left "pending" behind must be dead. */
  readonly orphanMs?: number;
};

const ORPHAN_MS = 15_000;
/** Longer than any install that waits for nothing. */
const HELM_MS = 120_000;

/** Releases by helm. */
export const createHelm = (options: HelmOptions): ReleaseDelivery => {
  const { host, chart } = options;
  return {
    apply: async ({ names, values }, patience) => {
      await dropPending(options, names, patience);
      await refuseForeign(host, names);
      const source = chart.repository ? ['--repo', chart.repository] : [];
      const { namespace, release } = names;
      await runHelm(options, patience, {
        args: [
          ...['upgrade', release, chart.name, '--install', '--version', chart.version, ...source],
          ...['--namespace', namespace, '--values', '-', '--history-max', '3'],
        ],
        // By standard input: nothing is left on a disk, and nothing is seen in a list of processes.
        input: stringify(values),
      });
    },
    remove: async (names, patience) => {
      const records = await listRecords(host, names);
      for (const { name } of records.filter(isForeign(names))) {
        await removeObject(host.client, `/api/v1/namespaces/${names.namespace}/secrets/${name}`);
      }
      if (records.every(isForeign(names))) return;
      const args = ['uninstall', names.release, '--namespace', names.namespace];
      await runHelm(options, patience, { args: [...args, '--ignore-not-found'] });
    },
    // helm does nothing by itself.
    hold: async () => {},
  };
};

const listRecords = ({ client }: Host, { namespace, release }: HostNames, status?: string) =>
  listMetadata(
    client,
    `/api/v1/namespaces/${namespace}/secrets`,
    `owner=helm,name=${release}${status ? `,status in (${status})` : ''}`,
  );

/**
 * Whether it is no record of helm's. vCluster copies tenants' Secrets to the host with their labels, and by those
 * alone helm finds its records: what stands in the last one it takes for its own, and deletes.
 */
const isForeign =
  ({ release }: HostNames) =>
  ({ name }: { readonly name: string }): boolean =>
    !new RegExp(`^sh\\.helm\\.release\\.v1\\.${release}\\.v\\d+$`).test(name);

const refuseForeign = async (host: Host, names: HostNames): Promise<void> => {
  const foreign = (await listRecords(host, names)).find(isForeign(names));
  if (!foreign) return;
  throw hostError(
    'NameTaken',
    `The Secret ${names.namespace}/${foreign.name} on the host looks like a record of helm’s and is a tenant’s: its labels are owner=helm and name=${names.release}`,
  );
};

const PENDING = 'pending-install,pending-upgrade,pending-rollback,uninstalling';

const dropPending = async (
  { host, orphanMs = ORPHAN_MS }: HelmOptions,
  names: HostNames,
  patience: Patience,
): Promise<void> => {
  const settle = async () => {
    const pending = await listRecords(host, names, PENDING);
    for (const { name, creationTimestamp } of pending) {
      if (isForeign(names)({ name })) continue;
      // It may still be at work: whoever started it was killed, and it was not.
      if (Date.now() - creationTimestamp.getTime() < orphanMs) return undefined;
      await removeObject(host.client, `/api/v1/namespaces/${names.namespace}/secrets/${name}`);
    }
    return true;
  };
  await waitFor(settle, patience, () => hostError('TimedOut', 'Another helm is at work'));
};

type Run = { readonly args: readonly string[]; readonly input?: string };

/** @throws ProvisioningError with what helm said */
const runHelm = async (
  { program, host, environment }: HelmOptions,
  { signal }: Patience,
  { args, input = '' }: Run,
): Promise<void> => {
  const child = spawn(program, [...args, '--kubeconfig', host.kubeconfig], {
    env: {
      // Its client keeps a cache below it.
      HOME: host.directory,
      HELM_CACHE_HOME: `${host.directory}/cache`,
      HELM_CONFIG_HOME: `${host.directory}/config`,
      HELM_DATA_HOME: `${host.directory}/data`,
      ...environment,
    },
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: HELM_MS,
    ...(signal && { signal }),
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString()}`.slice(-20_000);
  });
  // A helm that ends before it has read everything says why on stderr.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(error)));
    child.once('close', resolve);
  });
  // helm ends by itself when it is told to, with a code like any other.
  if (child.killed) throw hostError('TimedOut', 'helm did not finish in two minutes');
  if (code !== 0) throw helmError(stderr || `helm ended with ${code ?? child.signalCode}`);
};

const notStarted = (error: Error): Error =>
  error.name === 'AbortError'
    ? error
    : hostError('ChartUnavailable', 'helm could not be started on the machine of rbac-sync', error);
