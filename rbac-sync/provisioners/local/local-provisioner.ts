/**
 * Control planes as plain processes on this machine: etcd, kube-apiserver and
 * kube-controller-manager for each workspace, on the loopback interface, each with keys of its own.
 * For the quickstart, tests and single machines. The processes outlive a crash of ours and are found
 * again by their pid files; a regular stop takes them down in order.
 */
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { stringify } from 'yaml';
import { authorizationConfiguration } from '#domain/authorization-configuration.ts';
import type { Credential } from '../../cluster/kubernetes-client.ts';
import type {
  ApiServerConfiguration,
  ControlPlane,
  OnProgress,
  Provisioner,
} from '../provisioner.ts';
import {
  type Authorities,
  type ControlPlanePaths,
  choosePorts,
  controlPlanePaths,
  loadAuthorities,
  readPorts,
  writeControlPlaneFiles,
  writePrivate,
} from './control-plane-files.ts';
import {
  type Daemon,
  ensureStarted,
  ensureStopped,
  isRunning,
  isRunningWith,
  lastWords,
} from './daemon.ts';
import { describePrograms, type ProgramOptions, type Programs } from './programs.ts';

/** What {@link createLocalProvisioner} needs. */
export type LocalProvisionerOptions = ProgramOptions & {
  /** Keeps a directory per workspace; private to us. */
  readonly directory: string;
  readonly configurationFor: (workspaceId: string) => ApiServerConfiguration;
};

const START_MS = 90_000;
const BOOTSTRAP_DAYS = 1 / 24;

/** Starts nothing by itself. On disposal it stops every control plane it has ensured. */
export const createLocalProvisioner = (options: LocalProvisionerOptions): Provisioner => {
  // From before their start, so that one that is cut short leaves nothing running.
  const begun = new Map<string, Programs>();
  const ensured = new Map<string, { readonly programs: Programs; readonly plane: ControlPlane }>();
  const pathsOf = (workspaceId: string): ControlPlanePaths => {
    if (!/^[0-9a-f-]{36}$/.test(workspaceId)) throw new TypeError('not a workspace id');
    return controlPlanePaths(join(resolve(options.directory), workspaceId));
  };
  // By the files alone: who started them may be gone.
  const suspend = async (workspaceId: string): Promise<void> => {
    const paths = pathsOf(workspaceId);
    const ports = await readPorts(paths);
    if (ports) await stop(describePrograms(paths, ports, options));
    ensured.delete(workspaceId);
    begun.delete(workspaceId);
  };
  return {
    name: 'local',
    ensure: async ({ workspaceId }, { onProgress, signal }) => {
      const known = ensured.get(workspaceId);
      if (known && (await areRunning(known.programs))) return known.plane;
      const configuration = options.configurationFor(workspaceId);
      const started = await start(pathsOf(workspaceId), onProgress, {
        ...options,
        audited: configuration.audit !== undefined,
        authorized: configuration.authorization !== undefined,
        signal,
        configuration,
        onBegin: (programs) => begun.set(workspaceId, programs),
      });
      ensured.set(workspaceId, started);
      return started.plane;
    },
    suspend,
    remove: async (workspaceId) => {
      await suspend(workspaceId);
      await rm(pathsOf(workspaceId).directory, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Array.from(begun.values(), stop));
    },
  };
};

type StartOptions = ProgramOptions & {
  readonly configuration: ApiServerConfiguration;
  readonly signal: AbortSignal | undefined;
  readonly onBegin: (programs: Programs) => void;
};

const start = async (
  paths: ControlPlanePaths,
  onProgress: OnProgress,
  options: StartOptions,
): Promise<{ programs: Programs; plane: ControlPlane }> => {
  await onProgress(5, 'making certificates');
  const authorities = await loadAuthorities(paths);
  const programs = (await adopt(paths, options)) ?? (await prepare(paths, authorities, options));
  options.onBegin(programs);
  await writeConfiguration(paths, options.configuration);
  const server = serverOf(programs);
  await onProgress(20, 'starting etcd');
  await ensureStarted(programs.etcd);
  const listens = () => accepts(programs.etcd, 'listen-client-urls');
  await until(programs.etcd, listens, options.signal);
  await onProgress(40, 'starting kube-apiserver');
  await stopOtherwiseAuthorized(programs.apiserver);
  await ensureStarted(programs.apiserver);
  await untilReady(programs, authorities, options.signal);
  await onProgress(60, 'starting kube-controller-manager');
  await ensureStarted(programs.controllerManager);
  return { programs, plane: describePlane(server, authorities) };
};

/**
 * Also for one that runs: kube-apiserver reloads authentication and authorization by itself (the latter
 * within a minute), and reads the others when it starts.
 */
const writeConfiguration = async (
  paths: ControlPlanePaths,
  { authentication, authorization, audit }: ApiServerConfiguration,
): Promise<void> => {
  await writePrivate(paths.authentication, stringify(authentication));
  if (authorization) {
    // Before the file that names it.
    await writePrivate(paths.authorizationWebhook, stringify(authorization.webhook));
    const configuration = authorizationConfiguration(paths.authorizationWebhook);
    await writePrivate(paths.authorization, stringify(configuration));
  }
  if (!audit) return;
  await writePrivate(paths.auditPolicy, stringify(audit.policy));
  await writePrivate(paths.auditWebhook, stringify(audit.webhook));
};

/** How it decides is an argument: one that was started before that changed is started anew. */
const stopOtherwiseAuthorized = async (apiserver: Daemon): Promise<void> => {
  const authorization = apiserver.args.find((each) => each.startsWith('--authorization-')) ?? '';
  if (await isRunningWith(apiserver, authorization)) return;
  await ensureStopped(apiserver);
};

/** The programs as they were, if one of them still runs: the others must fit to it. */
const adopt = async (
  paths: ControlPlanePaths,
  options: ProgramOptions,
): Promise<Programs | undefined> => {
  const ports = await readPorts(paths);
  if (!ports) return undefined;
  const programs = describePrograms(paths, ports, options);
  const running = await Promise.all([programs.etcd, programs.apiserver].map(isRunning));
  return running.includes(true) ? programs : undefined;
};

const prepare = async (
  paths: ControlPlanePaths,
  authorities: Authorities,
  options: StartOptions,
): Promise<Programs> => {
  const ports = await choosePorts(paths);
  const programs = describePrograms(paths, ports, options);
  // One that lost the others can't work and would hold on to what the new ones need.
  await ensureStopped(programs.controllerManager);
  await writeControlPlaneFiles(paths, authorities, serverOf(programs));
  return programs;
};

const flagOf = (daemon: Daemon, name: string): string =>
  daemon.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';

const serverOf = ({ apiserver }: Programs): string =>
  `https://127.0.0.1:${flagOf(apiserver, 'secure-port')}`;

const areRunning = async (programs: Programs): Promise<boolean> =>
  (await Promise.all(Object.values(programs).map(isRunning))).every(Boolean);

/** Reverse order: nothing loses what it writes to. */
const stop = async ({ etcd, apiserver, controllerManager }: Programs): Promise<void> => {
  await ensureStopped(controllerManager);
  await ensureStopped(apiserver);
  await ensureStopped(etcd);
};

const describePlane = (server: string, { kubernetes }: Authorities): ControlPlane => ({
  server,
  certificateAuthority: kubernetes.certificate,
  bootstrapCredential: (): Promise<Credential> =>
    kubernetes.sign({
      commonName: 'hexabase-bootstrap',
      organization: 'system:masters',
      days: BOOTSTRAP_DAYS,
    }),
});

const until = async (
  daemon: Daemon,
  condition: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const deadline = Date.now() + START_MS;
  while (!(await condition())) {
    if (!(await isRunning(daemon)) || Date.now() > deadline) {
      throw new Error(`${daemon.program} did not come up:\n${await lastWords(daemon)}`);
    }
    await delay(25, undefined, { signal });
  }
};

const accepts = (daemon: Daemon, flag: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(flagOf(daemon, flag));
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const untilReady = async (
  programs: Programs,
  { kubernetes }: Authorities,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const agent = new Agent({ connect: { ca: kubernetes.certificate }, allowH2: false });
  const answers = async () => {
    const response = await request(`${serverOf(programs)}/readyz`, { dispatcher: agent });
    await response.body.dump();
    return response.statusCode === 200;
  };
  try {
    // Until it listens, connecting fails.
    await until(programs.apiserver, () => answers().catch(() => false), signal);
  } finally {
    await agent.destroy();
  }
};
