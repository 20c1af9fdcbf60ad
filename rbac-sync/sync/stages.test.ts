import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import {
  anyChange,
  type Cluster,
  carryOut,
  clusterOf,
  listRights,
  observe,
} from './cluster-model.fixture.ts';
import { diff, isEmpty } from './diff.ts';
import { planStages, type Write } from './stages.ts';

const RUNS = { numRuns: 300 };

const writesOf = (desired: readonly ManagedObject[], cluster: Cluster): (readonly Write[])[] => {
  const { open, fenced } = planStages(diff(desired, [...cluster.values()]));
  return [...open, ...fenced];
};

/** The writes of a stage in an order of chance: they are made at the same time. */
const shuffle = (stage: readonly Write[], seed: number): Write[] =>
  stage
    .map((write, n) => ({ write, at: Math.imul(seed + n * 7919, 2654435761) >>> 0 }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ write }) => write);

describe('the stages of a change', () => {
  it('refuse nobody in between what they may before and after', () => {
    fc.assert(
      fc.property(anyChange, fc.nat(), ([before, desired], seed) => {
        const cluster = clusterOf(before.map(observe));
        const had = listRights(cluster);
        const has = listRights(clusterOf(desired.map(observe)));
        const kept = [...had].filter((right) => has.has(right));
        for (const write of writesOf(desired, cluster).flatMap((stage) => shuffle(stage, seed))) {
          carryOut(cluster, write);
          const now = listRights(cluster);
          const refused = kept.filter((right) => !now.has(right));
          expect(refused, `after ${write.operation} ${toObjectKey(write.object)}`).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('are all allowed, and lead to the desired state in one go', () => {
    fc.assert(
      fc.property(anyChange, fc.nat(), ([before, desired], seed) => {
        const cluster = clusterOf(before.map(observe));
        for (const write of writesOf(desired, cluster).flatMap((stage) => shuffle(stage, seed))) {
          carryOut(cluster, write);
        }
        expect([...cluster.keys()].toSorted()).toEqual(desired.map(toObjectKey).toSorted());
        expect(isEmpty(diff(desired, [...cluster.values()]))).toBe(true);
      }),
      RUNS,
    );
  });

  it('take nothing away later than they must: a group that only loses does so first', () => {
    fc.assert(
      fc.property(anyChange, fc.nat(), ([before, desired], seed) => {
        const cluster = clusterOf(before.map(observe));
        const had = listRights(cluster);
        const has = listRights(clusterOf(desired.map(observe)));
        const groups = new Set([...had].map((right) => right.split(' ')[0] ?? ''));
        const losers = [...groups].filter((group) => onlyLoses(group, before, desired));
        const { open } = planStages(diff(desired, [...cluster.values()]));
        for (const write of open.slice(0, 2).flatMap((stage) => shuffle(stage, seed))) {
          carryOut(cluster, write);
        }
        const now = listRights(cluster);
        const left = [...now].filter(
          (right) => !has.has(right) && losers.includes(right.split(' ')[0] ?? ''),
        );
        expect(left).toEqual([]);
      }),
      RUNS,
    );
  });
});

/** Whether a group is in no new binding, and no role changes. */
const onlyLoses = (
  group: string,
  before: readonly ManagedObject[],
  desired: readonly ManagedObject[],
): boolean => {
  const old = new Map(before.map((object) => [toObjectKey(object), object]));
  const isIn = (object: ManagedObject | undefined) =>
    object !== undefined &&
    'subjects' in object &&
    object.subjects.some(({ name }) => name === group);
  return desired.every((object) => {
    const was = old.get(toObjectKey(object));
    if (object.kind === 'Role') {
      // One that several groups hold narrows for all of them at once, when the last can do without.
      return was?.kind !== 'Role' || isDeepStrictEqual(was.rules, object.rules);
    }
    return !isIn(object) || isIn(was);
  });
};

/** What somebody did to an object past us. */
const tamper = (object: ObservedObject, how: number): ObservedObject[] => {
  const other = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
  const evil = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'evil' };
  switch (how) {
    case 0:
      return [];
    case 1:
      return object['roleRef'] === undefined ? [object] : [{ ...object, roleRef: other }];
    case 2:
      return object['subjects'] === undefined ? [object] : [{ ...object, subjects: [evil] }];
    case 3:
      return object['rules'] === undefined
        ? [object]
        : [{ ...object, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }];
    case 4:
      return [object, { ...object, metadata: { ...object.metadata, name: 'hexabase:other' } }];
    case 5:
      return [{ ...object, spec: {} }];
    default:
      return [object];
  }
};

describe('diff and its stages', () => {
  it('lead from any state of the cluster to the desired one', () => {
    const anyTampering = fc.array(fc.nat(12), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(anyChange, anyTampering, ([before, desired], tampering) => {
        const found = before
          .map(observe)
          .flatMap((object, n) => tamper(object, tampering[n % tampering.length] ?? 9));
        const namespaces = new Set(
          found.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
        );
        const cluster = clusterOf(
          found.filter(({ metadata: { namespace } }) => !namespace || namespaces.has(namespace)),
        );
        for (const write of writesOf(desired, cluster).flat()) carryOut(cluster, write);
        expect([...cluster.keys()].toSorted()).toEqual(desired.map(toObjectKey).toSorted());
        expect(isEmpty(diff(desired, [...cluster.values()]))).toBe(true);
      }),
      RUNS,
    );
  });

  it('touch nothing in a namespace that is still going, and do all the rest', () => {
    fc.assert(
      fc.property(anyChange, fc.nat(3), ([before, desired], n) => {
        const cluster = clusterOf(before.map(observe));
        const namespaces = before.filter(({ kind }) => kind === 'Namespace');
        const going = namespaces[n % Math.max(1, namespaces.length)];
        const name = going?.metadata.name ?? '';
        const held = going && cluster.get(toObjectKey(going));
        if (going && held) {
          const deletionTimestamp = '2026-01-01T00:00:00Z';
          const metadata = { ...held.metadata, deletionTimestamp };
          cluster.set(toObjectKey(going), { ...held, metadata });
        }
        for (const write of writesOf(desired, cluster).flat()) carryOut(cluster, write);
        const isElsewhere = ({ kind, metadata }: ManagedObject | ObservedObject) =>
          kind === 'Namespace' ? metadata.name !== name : metadata.namespace !== name;
        expect([...cluster.values()].filter(isElsewhere).map(toObjectKey).toSorted()).toEqual(
          desired.filter(isElsewhere).map(toObjectKey).toSorted(),
        );
      }),
      RUNS,
    );
  });
});
