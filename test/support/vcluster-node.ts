/**
 * A stand-in for the nodes of a host cluster and for what vCluster does in its pod: for every pending pod
 * of the chart it starts a real control plane on the pod's volume, with exactly the files that are
 * mounted, leaves the kubeconfig's Secret, plays the load balancer, and says that the pod is ready.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import type { KubernetesClient } from '../../rbac-sync/cluster/kubernetes-client.ts';
import { isNotFound } from '../../rbac-sync/cluster/kubernetes-error.ts';
import { applyObject } from '../../rbac-sync/cluster/object-requests.ts';
import {
  controlPlanePaths,
  writePrivate,
} from '../../rbac-sync/provisioners/local/control-plane-files.ts';
import { createLocalProvisioner } from '../../rbac-sync/provisioners/local/local-provisioner.ts';
import type { ControlPlane, Provisioner } from '../../rbac-sync/provisioners/provisioner.ts';

const Pod = z.looseObject({
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
  spec: z.object({
    volumes: z.array(
      z.looseObject({
        name: z.string(),
        secret: z.object({ secretName: z.string() }).optional(),
        persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
      }),
    ),
    containers: z.array(
      z.looseObject({
        volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
      }),
    ),
  }),
});
type Pod = z.infer<typeof Pod>;

/** A running stand-in. */
export type VclusterNode = AsyncDisposable & {
  /** Errors of its own, for a test that waits in vain. */
  readonly faults: readonly unknown[];
  /** While it is set, no pod starts. */
  halted: boolean;
};

type Started = { readonly claim: string; readonly plane: ControlPlane; authentication: string };

/** @param binaries directory of the Kubernetes programs */
export const startVclusterNode = async (
  host: KubernetesClient,
  binaries: string,
): Promise<VclusterNode> => {
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-node-'));
  const started = new Map<string, Started>();
  const faults: unknown[] = [];
  const files = new Map<string, Record<string, string>>();
  const planes = createLocalProvisioner({
    directory,
    binaries,
    unsafeNoFsync: true,
    configurationFor: (claim) => ({
      authentication: parse(files.get(claim)?.['authentication.yaml'] ?? '') as object,
    }),
  });
  const node = { faults, halted: false };
  const context: NodeContext = { host, planes, directory, started, files, node };
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await look(context).catch((error: unknown) => faults.push(error));
      await delay(100);
    }
  })();
  return Object.assign(node, {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await loop;
      await planes[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  });
};

type NodeContext = {
  readonly host: KubernetesClient;
  readonly planes: Provisioner;
  readonly directory: string;
  readonly started: Map<string, Started>;
  readonly files: Map<string, Record<string, string>>;
  readonly node: { readonly halted: boolean };
};

const look = async (context: NodeContext): Promise<void> => {
  const { host, planes, started, node } = context;
  const query = { labelSelector: 'app=vcluster' };
  const { items } = z
    .object({ items: z.array(Pod) })
    .parse(await host.request('/api/v1/pods', { query }));
  const uids = new Set(items.map(({ metadata }) => metadata.uid));
  for (const [uid, { claim }] of started) {
    if (uids.has(uid)) continue;
    await planes.suspend(claim);
    started.delete(uid);
  }
  for (const pod of items) {
    try {
      if (started.has(pod.metadata.uid)) await refresh(context, pod);
      else if (!node.halted) await start(context, pod);
    } catch (error) {
      // Its namespace may be going; the next look sees.
      if (!isNotFound(error)) throw error;
    }
  }
};

const start = async (context: NodeContext, pod: Pod): Promise<void> => {
  const { host, planes, started, files } = context;
  const { namespace, uid } = pod.metadata;
  const claim = await claimOf(host, pod);
  const mounted = await mountedFiles(host, pod);
  files.set(claim, mounted);
  const plane = await planes.ensure(
    {
      workspaceId: claim,
      plan: { workspaceQuota: {}, isolation: 'shared', nodeSelector: {}, tolerations: [] },
    },
    { onProgress: async () => {} },
  );
  started.set(uid, { claim, plane, authentication: mounted['authentication.yaml'] ?? '' });
  try {
    await leaveKubeconfig(host, namespace, plane);
    await refresh(context, pod);
    await host.request(`/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/status`, {
      method: 'PATCH',
      contentType: 'application/strategic-merge-patch+json',
      body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
    });
  } catch (error) {
    // It is not ready yet: all of it once more at the next look.
    started.delete(uid);
    throw error;
  }
};

/** As a kubelet brings a changed Secret into a mounted directory, and a load balancer keeps its address. */
const refresh = async ({ host, started, directory }: NodeContext, pod: Pod): Promise<void> => {
  const running = started.get(pod.metadata.uid);
  if (!running) return;
  const { 'authentication.yaml': authentication = '' } = await mountedFiles(host, pod);
  if (authentication !== running.authentication) {
    await writePrivate(
      controlPlanePaths(join(directory, running.claim)).authentication,
      authentication,
    );
    running.authentication = authentication;
  }
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/services/vcluster`;
  const { spec, status } = Service.parse(await host.request(path));
  const port = Number(new URL(running.plane.server).port);
  const contentType = 'application/strategic-merge-patch+json';
  if (spec.type !== 'LoadBalancer') return;
  if (spec.ports[0]?.port !== port) {
    const ports = [{ $patch: 'replace' }, { name: 'https', port, targetPort: 8443 }];
    await host.request(path, { method: 'PATCH', contentType, body: { spec: { ports } } });
  }
  if (!status.loadBalancer.ingress) {
    const body = { status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } } };
    await host.request(`${path}/status`, { method: 'PATCH', contentType, body });
  }
};

const Service = z.object({
  spec: z.object({ type: z.string(), ports: z.array(z.object({ port: z.int() })) }),
  status: z.object({ loadBalancer: z.object({ ingress: z.array(z.unknown()).optional() }) }),
});

const claimOf = async (host: KubernetesClient, { metadata, spec }: Pod): Promise<string> => {
  const name = spec.volumes.find(({ name }) => name === 'data')?.persistentVolumeClaim?.claimName;
  const path = `/api/v1/namespaces/${metadata.namespace}/persistentvolumeclaims/${name}`;
  const claim = z
    .object({ metadata: z.object({ uid: z.string() }) })
    .parse(await host.request(path));
  return claim.metadata.uid;
};

const Secret = z.object({ data: z.record(z.string(), z.string()).default({}) });
const Config = z.object({
  controlPlane: z.object({
    distro: z.object({
      k8s: z.object({ apiServer: z.object({ extraArgs: z.array(z.string()) }) }),
    }),
  }),
});

/** The files of the directory that `--authentication-config` points into, as the pod has them mounted. */
const mountedFiles = async (host: KubernetesClient, pod: Pod): Promise<Record<string, string>> => {
  const read = async (secret: string): Promise<Record<string, string>> => {
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/secrets/${secret}`;
    const { data } = Secret.parse(await host.request(path));
    const texts = Object.entries(data).map(([name, text]) => [
      name,
      Buffer.from(text, 'base64').toString(),
    ]);
    return Object.fromEntries(texts);
  };
  const mountOf = (directory: string) => {
    const mounts = pod.spec.containers.flatMap(({ volumeMounts }) => volumeMounts);
    const mount = mounts.find(({ mountPath, subPath }) => mountPath === directory && !subPath);
    return pod.spec.volumes.find(({ name }) => name === mount?.name)?.secret?.secretName ?? '';
  };
  const { 'config.yaml': config = '' } = await read(mountOf('/var/vcluster'));
  const { extraArgs } = Config.parse(parse(config)).controlPlane.distro.k8s.apiServer;
  const flag = extraArgs.find((arg) => arg.startsWith('--authentication-config='));
  const directory = flag?.split('=')[1]?.replace(/\/[^/]+$/, '') ?? '';
  return read(mountOf(directory));
};

const leaveKubeconfig = async (
  host: KubernetesClient,
  namespace: string,
  plane: ControlPlane,
): Promise<void> => {
  const credential = await plane.bootstrapCredential();
  if (!('certificate' in credential)) throw new Error('no certificate');
  const stringData = {
    config: `server: ${plane.server}`,
    'certificate-authority': plane.certificateAuthority,
    'client-certificate': credential.certificate,
    'client-key': credential.privateKey,
  };
  const path = `/api/v1/namespaces/${namespace}/secrets/vc-vcluster`;
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'vc-vcluster' }, stringData };
  await applyObject(host, path, body, 'vcluster');
};
