/** A vCluster as objects of Flux, and what Flux says of them. */
import * as z from 'zod';
import {
  type Controller,
  type GitopsObject,
  gitopsMetadata,
  isOci,
  type Verdict,
} from './gitops.ts';
import type { HostNames } from './names.ts';
import type { Chart } from './settings.ts';

const FLUX_INTERVAL = '10m';

/** Flux (helm.toolkit.fluxcd.io/v2): a source and a HelmRelease in the workspace's own namespace. */
export const fluxController = (chart: Chart): Controller => ({
  objects: ({ names, values }) => [fluxSource(chart, names), fluxRelease(chart, names, values)],
  judge: judgeFlux,
  hold: (suspend) => ({ spec: { suspend } }),
});

const fluxSource = (chart: Chart, names: HostNames): GitopsObject => {
  const [kind, plural] = isOci(chart)
    ? ['OCIRepository', 'ocirepositories']
    : ['HelmRepository', 'helmrepositories'];
  const spec = isOci(chart)
    ? { interval: FLUX_INTERVAL, url: chart.name, ref: { tag: chart.version } }
    : { interval: FLUX_INTERVAL, url: chart.repository };
  const apiVersion = 'source.toolkit.fluxcd.io/v1';
  return {
    path: `/apis/${apiVersion}/namespaces/${names.namespace}/${plural}/${names.release}`,
    body: { apiVersion, kind, metadata: gitopsMetadata(names), spec },
  };
};

const fluxRelease = (chart: Chart, names: HostNames, values: object): GitopsObject => {
  const apiVersion = 'helm.toolkit.fluxcd.io/v2';
  const { release: name } = names;
  const from = isOci(chart)
    ? { chartRef: { kind: 'OCIRepository', name } }
    : {
        chart: {
          spec: {
            chart: chart.name,
            version: chart.version,
            sourceRef: { kind: 'HelmRepository', name },
          },
        },
      };
  // What its pods do is watched by us, with better words than a time-out.
  const action = { disableWait: true };
  const spec = {
    interval: FLUX_INTERVAL,
    releaseName: name,
    ...from,
    values,
    install: { ...action, remediation: { retries: 3 } },
    upgrade: { ...action, remediation: { retries: 3, remediateLastFailure: false } },
    suspend: false,
  };
  return {
    path: `/apis/${apiVersion}/namespaces/${names.namespace}/helmreleases/${name}`,
    body: { apiVersion, kind: 'HelmRelease', metadata: gitopsMetadata(names), spec },
  };
};

const Flux = z.object({
  metadata: z.object({ generation: z.int() }),
  status: z
    .object({
      observedGeneration: z.int().default(0),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(''),
            message: z.string().default(''),
            observedGeneration: z.int().default(0),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

const judgeFlux = (object: unknown): Verdict => {
  const flux = Flux.safeParse(object);
  if (!flux.success) return 'waiting';
  const { metadata, status } = flux.data;
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  if (ready?.observedGeneration !== metadata.generation) return 'waiting';
  if (ready.status === 'True')
    return status.observedGeneration === metadata.generation ? 'done' : 'waiting';
  return ready.status === 'False' && /Failed|Exceeded|Error|Stalled/.test(ready.reason)
    ? { failed: ready.message }
    : 'waiting';
};
