import { describe, expect, it } from 'vitest';
import { type Manifest, readManifests } from '../bootstrap/manifests.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { findManifestDrift, listCorrections } from './manifest-drift.ts';

const manifest = (kind: string, name: string): Manifest => {
  const found = readManifests().find((each) => each.kind === kind && each.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
};
const policy = manifest('ValidatingAdmissionPolicy', 'hexabase-managed-objects');
const admin = manifest('ClusterRole', 'hexabase:workspace-admin');
const viewer = manifest('ClusterRole', 'hexabase:workspace-viewer');
const namespace = manifest('Namespace', 'hexabase-system');

/** As the API server would hold it, with these fields otherwise. */
const stored = (of: Manifest, change: object = {}, labels: object = {}): ObservedObject => {
  const object = structuredClone(of) as unknown as ObservedObject;
  const metadata = { ...object.metadata, uid: 'u', resourceVersion: '1' };
  return {
    ...object,
    ...change,
    metadata: { ...metadata, labels: { ...object.metadata.labels, ...labels } },
  };
};
const spec = policy['spec'] as { matchConstraints: { resourceRules: object[] } };
const constraints = (change: object) => ({
  spec: { ...spec, matchConstraints: { ...spec.matchConstraints, ...change } },
});
const rules = admin['rules'] as object[];

describe('no drift', () => {
  it.each<[string, Manifest, object, object]>([
    ['the object itself', policy, {}, {}],
    ['what is filled in', policy, constraints({ namespaceSelector: {}, objectSelector: {} }), {}],
    [
      'a scope that is filled in',
      policy,
      constraints({
        resourceRules: spec.matchConstraints.resourceRules.map((rule) => ({ ...rule, scope: '*' })),
      }),
      {},
    ],
    ['a status', policy, { status: { observedGeneration: 1 } }, {}],
    ['rules that a controller aggregates', viewer, { rules }, {}],
    ['a label of others', admin, {}, { team: 'a' }],
    ['a namespace’s own fields', namespace, { spec: { finalizers: ['kubernetes'] } }, {}],
  ])('is %s', (_what, of, change, labels) => {
    expect(findManifestDrift(of, stored(of, change, labels))).toBeUndefined();
    expect(listCorrections(of, stored(of, change, labels))).toEqual([]);
  });
});

describe('drift', () => {
  const added = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
  it.each<[string, Manifest, object, object, object]>([
    [
      'a selector that leaves namespaces out',
      policy,
      constraints({ namespaceSelector: { matchLabels: { a: 'b' } } }),
      {},
      { op: 'add', path: '/spec', value: spec },
    ],
    [
      'another failure policy',
      policy,
      { spec: { ...spec, failurePolicy: 'Ignore' } },
      {},
      { op: 'add', path: '/spec', value: spec },
    ],
    [
      'a rule',
      admin,
      { rules: [...rules, { verbs: ['*'] }] },
      {},
      { op: 'add', path: '/rules', value: rules },
    ],
    [
      'an aggregation of everything',
      admin,
      { aggregationRule: { clusterRoleSelectors: [{}] } },
      {},
      { op: 'remove', path: '/aggregationRule' },
    ],
    [
      'a label that adds its rules to a built-in role',
      admin,
      {},
      added,
      { op: 'remove', path: '/metadata/labels/rbac.authorization.k8s.io~1aggregate-to-view' },
    ],
  ])('is %s', (_what, of, change, labels, correction) => {
    const observed = stored(of, change, labels);
    const finding = findManifestDrift(of, observed);
    expect(finding).toMatchObject({ change: 'modified', origin: 'managed' });
    expect(finding?.differences).toHaveLength(1);
    expect(finding?.opened).toHaveLength(1);
    expect(listCorrections(of, observed)).toEqual([correction]);
  });

  it('is what is gone', () => {
    expect(findManifestDrift(policy, undefined)).toMatchObject({ change: 'deleted' });
    const leaving = stored(policy);
    leaving.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    expect(findManifestDrift(policy, leaving)).toMatchObject({ change: 'deleted' });
  });
});
