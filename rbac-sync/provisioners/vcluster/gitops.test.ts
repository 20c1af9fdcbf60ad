import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { argocdController } from './argocd.ts';
import { fluxController } from './flux.ts';
import type { Controller } from './gitops.ts';
import { hostNames } from './names.ts';
import { SETTINGS } from './settings.fixture.ts';

const SCHEMAS = new URL('../../../test/data/crd-schemas/', import.meta.url);
const validatorOf = (name: string) =>
  new Ajv({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(new URL(`${name}.json`, SCHEMAS), 'utf8')),
  );
const VALIDATORS: Record<string, ReturnType<typeof validatorOf>> = {
  HelmRelease: validatorOf('helm.toolkit.fluxcd.io/helmrelease_v2'),
  HelmRepository: validatorOf('source.toolkit.fluxcd.io/helmrepository_v1'),
  OCIRepository: validatorOf('source.toolkit.fluxcd.io/ocirepository_v1'),
  Application: validatorOf('argoproj.io/application_v1alpha1'),
};

const RELEASE = { names: hostNames(createId()), values: { controlPlane: { replicas: 1 } } };
const OCI = { name: 'oci://registry.example/charts/vcluster', version: '1.2.3' };
const ARGOCD = { kind: 'argocd', namespace: 'argocd', project: 'tenants' } as const;

describe('the objects of a GitOps controller', () => {
  it.each<[string, Controller, readonly string[]]>([
    ['Flux', fluxController(SETTINGS.chart), ['HelmRepository', 'HelmRelease']],
    ['Flux, of a registry', fluxController(OCI), ['OCIRepository', 'HelmRelease']],
    ['Argo CD', argocdController(SETTINGS.chart, ARGOCD), ['Application']],
    ['Argo CD, of a registry', argocdController(OCI, ARGOCD), ['Application']],
  ])('%s are valid by its own schemas and hold the values', (_name, controller, kinds) => {
    const bodies = controller.objects(RELEASE).map(({ body }) => body as { kind: string });
    expect(bodies.map(({ kind }) => kind)).toEqual(kinds);
    for (const body of bodies) {
      const validate = VALIDATORS[body.kind];
      validate?.(body);
      expect(validate?.errors).toBeNull();
    }
    expect(JSON.stringify(bodies.at(-1))).toContain(JSON.stringify(RELEASE.values));
  });

  it('asks Argo CD for a registry without its scheme, and for the chart by its name', () => {
    const [application] = argocdController(OCI, ARGOCD).objects(RELEASE);
    expect(application?.body).toMatchObject({
      spec: { source: { repoURL: 'registry.example/charts', chart: 'vcluster' } },
    });
  });
});

const ready = (status: string, reason: string, observedGeneration = 2) => ({
  metadata: { generation: 2 },
  status: {
    observedGeneration,
    conditions: [{ type: 'Ready', status, reason, message: 'why', observedGeneration }],
  },
});
const compared = (source: object, sync: string, phase: string) => ({
  spec: { source: { a: 1, b: 2 } },
  status: {
    sync: { status: sync, comparedTo: { source } },
    operationState: { phase, message: 'why' },
  },
});

describe('what a GitOps controller says', () => {
  const flux = fluxController(SETTINGS.chart);
  it.each([
    ['nothing yet', { metadata: { generation: 1 } }, 'waiting'],
    ['of another generation', ready('True', 'InstallSucceeded', 1), 'waiting'],
    ['that it is at work', ready('Unknown', 'Progressing'), 'waiting'],
    ['that its source is late', ready('False', 'SourceNotReady'), 'waiting'],
    ['that it is done', ready('True', 'InstallSucceeded'), 'done'],
    ['that it failed', ready('False', 'InstallFailed'), { failed: 'why' }],
    ['of nothing that is there', undefined, 'waiting'],
  ])('Flux says %s', (_name, object, expected) => {
    expect(flux.judge(object)).toEqual(expected);
  });

  const argocd = argocdController(SETTINGS.chart, ARGOCD);
  it.each([
    ['of what was wanted before', compared({ a: 0 }, 'Synced', 'Succeeded'), 'waiting'],
    ['that it is at work', compared({ a: 1, b: 2 }, 'OutOfSync', 'Running'), 'waiting'],
    ['that it is done', compared({ b: 2, a: 1 }, 'Synced', 'Succeeded'), 'done'],
    ['that it failed', compared({ a: 1, b: 2 }, 'OutOfSync', 'Failed'), { failed: 'why' }],
    [
      'that it can’t compare',
      { spec: {}, status: { conditions: [{ type: 'ComparisonError', message: 'no chart' }] } },
      { failed: 'no chart' },
    ],
  ])('Argo CD says %s', (_name, object, expected) => {
    expect(argocd.judge(object)).toEqual(expected);
  });
});
