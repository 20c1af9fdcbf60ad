import { describe, expect, it } from 'vitest';
import type { ManagedObject } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import {
  describeForeignClusterWide,
  describeLeaving,
  describeOveruse,
  describeUnknownGroups,
  listCustomGroups,
  toList,
} from './notes.ts';

const namespace = (metadata: object, conditions: object[] = []): ObservedObject => ({
  kind: 'Namespace',
  metadata: { name: 'shop', uid: 'u', resourceVersion: '1', ...metadata },
  status: { phase: 'Terminating', conditions },
});
const condition = (type: string, message: string, status = 'True') => ({ type, message, status });

describe('describeLeaving', () => {
  it.each<[string, ObservedObject, string]>([
    ['nothing while nobody said why', namespace({}), 'The namespace shop is still being deleted'],
    [
      'what remains and which finalizers hold it, and nothing that is over',
      namespace({}, [
        condition(
          'NamespaceDeletionDiscoveryFailure',
          'All resources successfully discovered',
          'False',
        ),
        condition(
          'NamespaceContentRemaining',
          'Some resources are remaining: pods. has 1 resource instances',
        ),
        condition(
          'NamespaceFinalizersRemaining',
          'Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances',
        ),
      ]),
      'The namespace shop is still being deleted: Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances; Some resources are remaining: pods. has 1 resource instances',
    ],
    [
      'the namespace’s own finalizers',
      namespace({ finalizers: ['a.b/c'] }),
      'The namespace shop is still being deleted: the namespace itself has the finalizers a.b/c',
    ],
  ])('says %s', (_name, object, expected) => {
    expect(describeLeaving(object)).toBe(expected);
  });
});

describe('describeForeignClusterWide', () => {
  it('names what gives to the workspace’s people, and with which role; not what others have', () => {
    const binding = (name: string, subject: string): ObservedObject => ({
      kind: 'ClusterRoleBinding',
      metadata: { name, uid: 'u', resourceVersion: '1' },
      roleRef: { name: 'cluster-admin' },
      subjects: [{ kind: 'Group', name: subject }],
    });
    const [note] = describeForeignClusterWide([
      binding('by-hand', 'hexabase:WorkspaceMembers'),
      binding('operator', 'system:masters'),
    ]);
    expect(note).toMatch(/: by-hand \(cluster-admin\)$/);
    expect(describeForeignClusterWide([binding('operator', 'other')])).toEqual([]);
  });
});

describe('describeOveruse', () => {
  const quota = (hard: object, used: object): ObservedObject => ({
    kind: 'ResourceQuota',
    metadata: { name: 'hexabase-plan', namespace: 'shop', uid: 'u', resourceVersion: '1' },
    status: { hard, used },
  });
  it('names what is above its limit by value, and nothing else', () => {
    expect(describeOveruse([quota({ cpu: '1', pods: '3' }, { cpu: '1000m', pods: '3' })])).toEqual(
      [],
    );
    expect(describeOveruse([quota({ cpu: '1', pods: '3' }, { cpu: '1100m', pods: '4' })])).toEqual([
      expect.stringMatching(/^The project shop .*: cpu 1100m of 1, pods 4 of 3$/),
    ]);
    expect(describeOveruse([quota({}, { pods: '4' })])).toEqual([]);
  });
});

describe('API groups', () => {
  const role = (...apiGroups: string[]): ManagedObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'hexabase:r', namespace: 'shop', labels: {} },
    rules: [{ apiGroups, resources: ['things'], verbs: ['get'] }],
  });
  it('that only a custom resource brings are looked for', () => {
    const groups = listCustomGroups([role('', 'apps', 'example.com'), role('example.org')]);
    expect([...groups.keys()]).toEqual(['example.com', 'example.org']);
    expect(describeUnknownGroups(groups, new Set(['example.org', 'apps']))).toEqual([
      expect.stringContaining('example.com (role shop/hexabase:r)'),
    ]);
    expect(describeUnknownGroups(groups, new Set(['example.org', 'example.com']))).toEqual([]);
  });
});

describe('toList', () => {
  it('counts what it doesn’t name', () => {
    expect(toList(['a', 'b'])).toBe('a, b');
    expect(toList(Array.from({ length: 12 }, () => 'x'))).toMatch(/^x(, x){9} and 2 more$/);
  });
});
