/**
 * Stand-ins for Flux's and Argo CD's controllers: they know the real resource definitions, and do with a
 * real helm what a HelmRelease or an Application asks for, and say so in its status as the real ones do.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import * as z from 'zod';
import type { KubernetesClient } from '../../rbac-sync/cluster/kubernetes-client.ts';
import { isNotFound } from '../../rbac-sync/cluster/kubernetes-error.ts';
import { poll } from './poll.ts';

const SCHEMAS = new URL('../data/crd-schemas/', import.meta.url);
const KINDS = [
  ['source.toolkit.fluxcd.io', 'v1', 'HelmRepository', 'helmrepositories'],
  ['helm.toolkit.fluxcd.io', 'v2', 'HelmRelease', 'helmreleases'],
  ['argoproj.io', 'v1alpha1', 'Application', 'applications'],
] as const;

type Schema = { [key: string]: unknown };

/** A published JSON schema as the structural schema of a resource definition. */
const toStructural = (schema: Schema): Schema => {
  const entries = Object.entries(schema).filter(
    ([key, value]) => !(key === 'additionalProperties' && value === false),
  );
  if (schema['oneOf'] && !schema['type']) return { 'x-kubernetes-int-or-string': true };
  const result: Schema = Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(
            Object.entries(value as Record<string, Schema>).map(([name, each]) => [
              name,
              toStructural(each),
            ]),
          )
        : (key === 'items' || key === 'additionalProperties') && typeof value === 'object'
          ? toStructural(value as Schema)
          : value,
    ]),
  );
  const isOpen =
    result['type'] === 'object' && !result['properties'] && !result['additionalProperties'];
  return isOpen || result['x-kubernetes-preserve-unknown-fields']
    ? { ...result, 'x-kubernetes-preserve-unknown-fields': true }
    : result;
};

const installDefinitions = async (host: KubernetesClient): Promise<void> => {
  for (const [group, version, kind, plural] of KINDS) {
    const file = new URL(`${group}/${kind.toLowerCase()}_${version}.json`, SCHEMAS);
    const schema = toStructural(JSON.parse(readFileSync(file, 'utf8')) as Schema);
    const openAPIV3Schema = {
      ...schema,
      properties: { ...(schema['properties'] as Schema), metadata: { type: 'object' } },
    };
    const storage = { served: true, storage: true, schema: { openAPIV3Schema } };
    // Argo CD's controller writes the whole object, Flux's the status apart.
    const subresources = kind === 'Application' ? {} : { status: {} };
    await host.request('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      method: 'POST',
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: {
          name: `${plural}.${group}`,
          annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' },
        },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
          versions: [{ name: version, ...storage, subresources }],
        },
      },
    });
    await poll(`${plural} to be served`, () => host.request(`/apis/${group}/${version}/${plural}`));
  }
};

const Resource = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    generation: z.int(),
    finalizers: z.array(z.string()).default([]),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
});
type Resource = z.infer<typeof Resource>;

/** Running stand-ins. */
export type GitopsControllers = AsyncDisposable & { readonly faults: readonly unknown[] };

/** What {@link startGitopsControllers} needs. */
export type GitopsOptions = {
  readonly host: KubernetesClient;
  readonly helm: string;
  readonly kubeconfig: string;
};

/** Installs the resource definitions and starts both controllers. */
export const startGitopsControllers = async (
  options: GitopsOptions,
): Promise<GitopsControllers> => {
  const { host } = options;
  await installDefinitions(host);
  const faults: unknown[] = [];
  const stopping = new AbortController();
  const seen = new Map<string, number>();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      for (const act of [actFlux, actArgocd]) {
        await act(options, seen).catch((error: unknown) => faults.push(error));
      }
      await delay(100);
    }
  })();
  return {
    faults,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await loop;
    },
  };
};

const runHelm = ({ helm, kubeconfig }: GitopsOptions, args: readonly string[], input = '') =>
  new Promise<string | undefined>((resolve) => {
    const child = execFile(helm, [...args, '--kubeconfig', kubeconfig], (error, _out, stderr) =>
      resolve(error ? stderr : undefined),
    );
    child.stdin?.end(input);
  });

type Wanted = {
  namespace: string;
  release: string;
  chart: string;
  repository: string;
  version: string;
  values: unknown;
};

const install = (options: GitopsOptions, wanted: Wanted): Promise<string | undefined> =>
  runHelm(
    options,
    [
      ...['upgrade', wanted.release, wanted.chart, '--install', '--namespace', wanted.namespace],
      ...['--repo', wanted.repository, '--version', wanted.version, '--values', '-'],
    ],
    stringify(wanted.values),
  );

const list = async (host: KubernetesClient, collection: string): Promise<Resource[]> =>
  z.object({ items: z.array(Resource) }).parse(await host.request(collection)).items;

/** Answers whether there is anything to install; a deletion is carried out here. */
const isWanted = async (
  options: GitopsOptions,
  { path, resource, namespace }: { path: string; resource: Resource; namespace: string },
): Promise<boolean> => {
  const { metadata } = resource;
  if (!metadata.deletionTimestamp) return true;
  await runHelm(options, ['uninstall', 'vcluster', '--namespace', namespace, '--ignore-not-found']);
  await patch(options.host, path, { metadata: { finalizers: null } });
  return false;
};

const patch = async (host: KubernetesClient, path: string, body: object): Promise<void> => {
  const contentType = 'application/merge-patch+json';
  await host.request(path, { method: 'PATCH', contentType, body }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
};

const FluxSpec = z.looseObject({
  releaseName: z.string(),
  suspend: z.boolean().default(false),
  values: z.unknown(),
  chart: z.object({ spec: z.looseObject({ chart: z.string(), version: z.string() }) }),
});

const actFlux = async (options: GitopsOptions, seen: Map<string, number>): Promise<void> => {
  const { host } = options;
  for (const resource of await list(host, '/apis/helm.toolkit.fluxcd.io/v2/helmreleases')) {
    const { name, namespace, generation, finalizers } = resource.metadata;
    const path = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${namespace}/helmreleases/${name}`;
    if (!(await isWanted(options, { path, resource, namespace }))) continue;
    const spec = FluxSpec.parse(resource.spec);
    if (spec.suspend || seen.get(path) === generation) continue;
    if (finalizers.length === 0) {
      await patch(host, path, { metadata: { finalizers: ['finalizers.fluxcd.io'] } });
    }
    const source = Resource.parse(
      await host.request(
        `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/helmrepositories/${name}`,
      ),
    );
    const { chart, version } = spec.chart.spec;
    const repository = String(source.spec['url']);
    const wanted = {
      namespace,
      release: spec.releaseName,
      chart,
      repository,
      version,
      values: spec.values,
    };
    const fault = await install(options, wanted);
    const condition = {
      type: 'Ready',
      status: fault ? 'False' : 'True',
      reason: fault ? 'InstallFailed' : 'InstallSucceeded',
      message: fault ?? 'Helm install succeeded',
      observedGeneration: generation,
      lastTransitionTime: new Date().toISOString(),
    };
    await patch(host, `${path}/status`, {
      status: { observedGeneration: generation, conditions: [condition] },
    });
    seen.set(path, generation);
  }
};

const ArgocdSpec = z.looseObject({
  destination: z.looseObject({ namespace: z.string() }),
  source: z.looseObject({
    chart: z.string(),
    repoURL: z.string(),
    targetRevision: z.string(),
    helm: z.object({ releaseName: z.string(), valuesObject: z.unknown() }),
  }),
});

const actArgocd = async (options: GitopsOptions, seen: Map<string, number>): Promise<void> => {
  const { host } = options;
  for (const resource of await list(host, '/apis/argoproj.io/v1alpha1/applications')) {
    const { name, namespace } = resource.metadata;
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications/${name}`;
    const { source, destination } = ArgocdSpec.parse(resource.spec);
    const wanted = {
      namespace: destination.namespace,
      release: source.helm.releaseName,
      chart: source.chart,
      repository: source.repoURL,
      version: source.targetRevision,
      values: source.helm.valuesObject,
    };
    if (!(await isWanted(options, { path, resource, namespace: wanted.namespace }))) continue;
    const key = `${path} ${JSON.stringify(wanted)}`;
    if (seen.has(key)) continue;
    const fault = await install(options, wanted);
    const now = new Date().toISOString();
    const operation = { sync: {} };
    const comparedTo = { source, destination };
    await patch(host, path, {
      status: {
        sync: { status: fault ? 'OutOfSync' : 'Synced', comparedTo },
        operationState: {
          phase: fault ? 'Failed' : 'Succeeded',
          message: fault ?? '',
          startedAt: now,
          operation,
        },
      },
    });
    seen.set(key, 1);
  }
};
