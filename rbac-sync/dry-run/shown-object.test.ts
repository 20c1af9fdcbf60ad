import { describe, expect, it } from 'vitest';
import type { ObjectDiff } from '#domain/cluster-diff.ts';
import type { ManagedObject } from '#domain/kubernetes-objects.ts';
import { limitObjects, toShown } from './shown-object.ts';

const quota: ManagedObject = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'plan', namespace: 'shop', labels: { 'example.com/of-ours': 'a' } },
  spec: { hard: { pods: '5' } },
};
const observed = {
  kind: 'ResourceQuota',
  metadata: {
    name: 'plan',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '7',
    managedFields: [],
    labels: {
      'app.kubernetes.io/managed-by': 'x',
      'kaas.hexabase.io/project': 'p',
      'shop.tree.kaas.hexabase.io/depth': '0',
      'example.com/of-ours': 'b',
      'example.com/of-theirs': 'c',
      'not-kaas.hexabase.io.example.com/x': 'd',
    },
  },
  spec: { hard: { pods: '9' } },
  status: { used: { pods: '3' } },
  immutable: true,
};
const OURS = {
  'app.kubernetes.io/managed-by': 'x',
  'kaas.hexabase.io/project': 'p',
  'shop.tree.kaas.hexabase.io/depth': '0',
};

describe('toShown', () => {
  it('has the fields and labels of ours, and no others', () => {
    expect(toShown(observed, quota)).toEqual({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: {
        name: 'plan',
        namespace: 'shop',
        labels: { ...OURS, 'example.com/of-ours': 'b' },
      },
      spec: { hard: { pods: '9' } },
    });
  });

  it('has all content of what is not wanted any more, but its status', () => {
    expect(toShown(observed)).toEqual({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'plan', namespace: 'shop', labels: OURS },
      spec: { hard: { pods: '9' } },
      immutable: true,
    });
  });

  it('has nothing of a namespace but its labels', () => {
    const namespace = {
      kind: 'Namespace',
      metadata: { name: 'shop' },
      spec: { finalizers: ['x'] },
    };
    expect(toShown(namespace)).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: {} },
    });
  });
});

describe('limitObjects', () => {
  const object = (name: string): ObjectDiff => ({
    action: 'create',
    kind: 'Namespace',
    namespace: null,
    name,
    before: null,
    after: {},
    checked: true,
    refusal: null,
  });
  const objects = ['a', 'b', 'c'].map(object);
  const one = JSON.stringify(object('a')).length;

  it.each([
    [{ objects: 3, characters: 3 * one }, 3],
    [{ objects: 2, characters: 3 * one }, 2],
    [{ objects: 3, characters: 3 * one - 1 }, 2],
    [{ objects: 3, characters: one - 1 }, 0],
  ])('keeps within %j', (limits, kept) => {
    expect(limitObjects(objects, limits)).toEqual({
      objects: objects.slice(0, kept),
      omitted: 3 - kept,
    });
  });
});
