/** A vCluster as an Application of Argo CD, and what Argo CD says of it. */
import * as z from 'zod';
import type { Release } from './delivery.ts';
import { type Controller, gitopsMetadata, isOci, type Verdict } from './gitops.ts';
import type { Chart, Delivery } from './settings.ts';

/** Argo CD (argoproj.io/v1alpha1): an Application beside Argo CD itself. */
export const argocdController = (
  chart: Chart,
  { namespace, project }: Extract<Delivery, { kind: 'argocd' }>,
): Controller => ({
  objects: ({ names, values }) => {
    const apiVersion = 'argoproj.io/v1alpha1';
    // All are in one namespace, and the workspace's is unique.
    const name = names.namespace;
    return [
      {
        path: `/apis/${apiVersion}/namespaces/${namespace}/applications/${name}`,
        body: {
          apiVersion,
          kind: 'Application',
          metadata: {
            ...gitopsMetadata(names, name),
            namespace,
            // With it the deletion of the Application takes what it made along.
            finalizers: ['resources-finalizer.argocd.argoproj.io'],
          },
          spec: applicationSpec(chart, { names, values }, project),
        },
      },
    ];
  },
  judge: (object) => judgeArgocd(object, chart),
});

const applicationSpec = (chart: Chart, { names, values }: Release, project: string) => ({
  project,
  destination: { server: 'https://kubernetes.default.svc', namespace: names.namespace },
  source: {
    chart: isOci(chart) ? chart.name.slice(chart.name.lastIndexOf('/') + 1) : chart.name,
    repoURL: isOci(chart)
      ? chart.name.slice('oci://'.length, chart.name.lastIndexOf('/'))
      : chart.repository,
    targetRevision: chart.version,
    helm: { releaseName: names.release, valuesObject: values },
  },
  syncPolicy: {
    automated: { prune: true, selfHeal: true },
    syncOptions: ['CreateNamespace=false', 'RespectIgnoreDifferences=true'],
  },
  // Suspension scales; it must not be healed.
  ignoreDifferences: [{ group: 'apps', kind: 'StatefulSet', jsonPointers: ['/spec/replicas'] }],
});

const Argocd = z.object({
  spec: z.object({ source: z.unknown().optional() }),
  status: z
    .object({
      sync: z
        .object({
          status: z.string().default(''),
          comparedTo: z.object({ source: z.unknown() }).optional(),
        })
        .prefault({}),
      operationState: z
        .object({ phase: z.string().default(''), message: z.string().default('') })
        .prefault({}),
      conditions: z.array(z.object({ type: z.string(), message: z.string() })).default([]),
    })
    .prefault({}),
});

const judgeArgocd = (object: unknown, chart: Chart): Verdict => {
  const application = Argocd.safeParse(object);
  if (!application.success) return 'waiting';
  const { spec, status } = application.data;
  const error = status.conditions.find(({ type }) => /Error$/.test(type));
  if (error) return { failed: error.message };
  // A comparison with what was there before says nothing of what is wanted now.
  if (
    JSON.stringify(sorted(status.sync.comparedTo?.source)) !== JSON.stringify(sorted(spec.source))
  ) {
    return 'waiting';
  }
  const { phase, message } = status.operationState;
  if (/^(Failed|Error)$/.test(phase)) return { failed: message || `version ${chart.version}` };
  return status.sync.status === 'Synced' && phase === 'Succeeded' ? 'done' : 'waiting';
};

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
};
