import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredState } from '#domain/desired-state.ts';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { WorkspaceState } from '#domain/workspace-state.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { type Changes, diff, isEmpty } from './diff.ts';

const idOf = (n: number) => `01940000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** A workspace from a few numbers: which projects, roles and assignments there are. */
const aWorkspace = (projects: number[], grants: [number, number][]): WorkspaceState => ({
  workspaceId: idOf(0),
  organizationId: idOf(999),
  plan: {
    projectQuota: { pods: '10', 'requests.cpu': '1500m' },
    limitRange: [{ type: 'Container', default: { cpu: '1' }, max: { memory: '1Gi' } }],
    networkPolicy: 'isolate',
  },
  // Each below the one before it, where there is one.
  projects: projects.map((n) => ({
    id: idOf(n),
    name: `p${n}`,
    parentId: projects.includes(n - 1) ? idOf(n - 1) : null,
    quota: null,
  })),
  projectRoles: projects.map((n) => ({
    id: idOf(100 + n),
    projectId: idOf(n),
    name: 'reader',
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  })),
  assignments: grants.map(([group, n]) => ({
    groupName: `g${group}`,
    projectId: n === 0 ? null : idOf(n),
    projectRoleId: n === 0 ? null : idOf(100 + n),
    presetRole: n === 0 ? 'workspace-admin' : null,
  })),
});

const anyState = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 4 })),
    fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { maxLength: 8 }),
  )
  .map(([projects, grants]) => desiredState(aWorkspace(projects, grants)));

let version = 0;
/** As the API server holds an object: with what it adds to it. */
const observe = (object: ManagedObject): ObservedObject => {
  version += 1;
  const { metadata, ...rest } = structuredClone(object);
  return {
    ...rest,
    metadata: { ...metadata, uid: `uid-${version}`, resourceVersion: `${version}` },
    ...(object.kind === 'ResourceQuota' && {
      spec: { hard: { pods: '10', 'requests.cpu': '1.5' } },
    }),
    ...(object.kind === 'LimitRange' && {
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '1', memory: '1Gi' },
            defaultRequest: { cpu: '1', memory: '1Gi' },
            max: { memory: '1024Mi' },
          },
        ],
      },
    }),
  };
};

/** What the API server would hold after the changes. */
const applyTo = (observed: readonly ObservedObject[], changes: Changes): ObservedObject[] => {
  const world = new Map(observed.map((object) => [toObjectKey(object), object]));
  for (const object of [...changes.revoke.remove, ...changes.prune]) {
    world.delete(toObjectKey(object));
    if (object.kind !== 'Namespace') continue;
    for (const [key, each] of world) {
      if (each.metadata.namespace === object.metadata.name) world.delete(key);
    }
  }
  for (const object of [...changes.revoke.apply, ...changes.apply]) {
    world.set(toObjectKey(object), observe(object));
  }
  return [...world.values()];
};

const keys = (objects: readonly { kind: string; metadata: { name: string } }[]) =>
  objects.map((object) => `${object.kind} ${object.metadata.name.replace(/:[0-9a-f]{10}$/, '')}`);

describe('diff', () => {
  it('finds nothing to do where all is as desired, however the API server writes it', () => {
    fc.assert(
      fc.property(anyState, (desired) => {
        const changes = diff(desired, desired.map(observe));
        expect(isEmpty(changes)).toBe(true);
      }),
    );
  });

  it('leads from any state to the desired one', () => {
    fc.assert(
      fc.property(anyState, anyState, (before, desired) => {
        const world = applyTo(before.map(observe), diff(desired, before.map(observe)));
        expect(isEmpty(diff(desired, world))).toBe(true);
        expect(world.map(toObjectKey).toSorted()).toEqual(desired.map(toObjectKey).toSorted());
      }),
    );
  });

  const one = (group: number) => desiredState(aWorkspace([1], [[group, 1]]));
  const two = desiredState(
    aWorkspace(
      [1],
      [
        [1, 1],
        [2, 1],
      ],
    ),
  );
  const none = desiredState(aWorkspace([1], []));

  it('revokes a binding first when it only takes rights away', () => {
    const { revoke, apply, prune } = diff(none, one(1).map(observe));
    expect(keys(revoke.remove)).toEqual(['RoleBinding hexabase:reader']);
    expect([apply, prune]).toEqual([[], []]);
  });

  it('revokes first when a binding only loses groups', () => {
    const { revoke, apply } = diff(one(1), two.map(observe));
    expect(keys(revoke.apply)).toEqual(['RoleBinding hexabase:reader']);
    expect(apply).toEqual([]);
  });

  it('grants before it prunes when a role is replaced by another', () => {
    const renamed = aWorkspace([1], [[1, 1]]);
    const desired = desiredState({
      ...renamed,
      projectRoles: renamed.projectRoles.map((role) => ({ ...role, name: 'renamed' })),
    });
    const { revoke, apply, prune } = diff(desired, one(1).map(observe));
    expect(revoke).toEqual({ remove: [], apply: [] });
    expect(keys(apply)).toEqual(['Role hexabase:renamed', 'RoleBinding hexabase:renamed']);
    expect(keys(prune)).toEqual(['RoleBinding hexabase:reader', 'Role hexabase:reader']);
  });

  it('takes the tree labels of former ancestors away, and leaves other labels alone', () => {
    const below = desiredState(aWorkspace([1, 2], []));
    const apart = desiredState({
      ...aWorkspace([1, 2], []),
      projects: aWorkspace([1, 2], []).projects.map((each) => ({ ...each, parentId: null })),
    });
    const { apply } = diff(apart, below.map(observe));
    expect(keys(apply)).toEqual(['Namespace p2', 'NetworkPolicy hexabase-plan']);
    const labelled = below.map(observe).map((object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { ...object.metadata.labels, 'their.own': 'x' } },
    }));
    expect(isEmpty(diff(below, labelled))).toBe(true);
  });

  it('makes a binding anew whose roleRef is another', () => {
    const observed = one(1)
      .map(observe)
      .map((object) =>
        object.kind === 'RoleBinding'
          ? { ...object, roleRef: { ...(object['roleRef'] as object), name: 'other' } }
          : object,
      );
    const { revoke, apply } = diff(one(1), observed);
    expect(keys(revoke.remove)).toEqual(['RoleBinding hexabase:reader']);
    expect(keys(apply)).toEqual(['RoleBinding hexabase:reader']);
  });

  it('deletes a project by its namespace, its bindings before', () => {
    const { revoke, prune } = diff([], one(1).map(observe));
    expect(keys(revoke.remove)).toEqual(['RoleBinding hexabase:reader']);
    expect(keys(prune)).toEqual(['Namespace p1']);
  });

  it('waits for a namespace that is going, and goes on with the others', () => {
    const desired = desiredState(
      aWorkspace(
        [1, 2],
        [
          [1, 1],
          [1, 2],
        ],
      ),
    );
    const going = observe(desired.find(({ metadata }) => metadata.name === 'p1') as ManagedObject);
    const changes = diff(desired, [
      { ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    ]);
    expect(changes.terminating).toEqual(['p1']);
    const touched = changes.apply.map(({ metadata }) => metadata.namespace ?? metadata.name);
    expect(new Set(touched)).toEqual(new Set(['p2']));
  });

  it.each<[string, (object: ObservedObject) => ObservedObject]>([
    ['a label', (object) => ({ ...object, metadata: { ...object.metadata, labels: {} } })],
    [
      'content',
      (object) => ({
        ...object,
        rules: [],
        subjects: [],
        spec: { hard: { pods: '11' }, limits: [] },
      }),
    ],
  ])('sees a difference of %s in every kind that has it', (what, change) => {
    const changes = diff(two, two.map(observe).map(change));
    const expected = two.filter(({ kind }) => what === 'a label' || kind !== 'Namespace');
    expect([...changes.revoke.apply, ...changes.apply].map(toObjectKey).toSorted()).toEqual(
      expected.map(toObjectKey).toSorted(),
    );
  });
});
