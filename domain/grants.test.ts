import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredState } from './desired-state.ts';
import { resolveGrants } from './grants.ts';
import type { ManagedObject, Role } from './kubernetes-objects.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { Assignment, Project, ProjectRole, WorkspaceState } from './workspace-state.ts';

const idOf = (n: number) => `01940000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const rules = (resource: string): PolicyRule[] => [
  { apiGroups: [''], resources: [resource], verbs: ['get'] },
];
const project = (n: number, name: string, parent?: number): Project => ({
  id: idOf(n),
  name,
  parentId: parent === undefined ? null : idOf(parent),
  quota: null,
});
const role = (n: number, home: number, name: string): ProjectRole => ({
  id: idOf(n),
  projectId: idOf(home),
  name,
  rules: rules(`r${n}`),
});
const give = (groupName: string, { id, projectId }: ProjectRole): Assignment => ({
  groupName,
  projectId,
  projectRoleId: id,
  presetRole: null,
});
const givePreset = (
  groupName: string,
  presetRole: 'workspace-admin' | 'workspace-viewer',
  n: number | null,
): Assignment => ({
  groupName,
  projectId: n === null ? null : idOf(n),
  projectRoleId: null,
  presetRole,
});
const aWorkspace = (state: Partial<WorkspaceState>): WorkspaceState => ({
  workspaceId: idOf(0),
  organizationId: idOf(999),
  plan: { projectQuota: {}, limitRange: [], networkPolicy: 'none' },
  projects: [],
  projectRoles: [],
  assignments: [],
  ...state,
});

const describeProjects = (state: WorkspaceState): string[] =>
  state.projects.flatMap(({ id, name }) =>
    [...(resolveGrants(state).projects.get(id) ?? [])].map(
      ([key, { groups }]) => `${name} ${key} = ${[...groups].sort().join(' ')}`,
    ),
  );

describe('what is given in a project', () => {
  const projects = [
    project(1, 'top'),
    project(2, 'mid', 1),
    project(3, 'low', 2),
    project(4, 'beside', 1),
  ];
  const [deployer, own] = [role(10, 1, 'deployer'), role(11, 3, 'deployer')];
  it.each<[string, Assignment[], string[]]>([
    [
      'holds in it and below, and nowhere above or beside',
      [givePreset('a', 'workspace-viewer', 2)],
      ['mid ClusterRole/view = a', 'low ClusterRole/view = a'],
    ],
    [
      'a project role goes along under its project’s name, beside one of the same name',
      [give('a', deployer), give('b', own)],
      [
        'top Role/hexabase:deployer = a',
        'mid Role/hexabase:deployer.top = a',
        'low Role/hexabase:deployer = b',
        'low Role/hexabase:deployer.top = a',
        'beside Role/hexabase:deployer.top = a',
      ],
    ],
    [
      'above and below is one grant of both groups',
      [givePreset('a', 'workspace-admin', 1), givePreset('b', 'workspace-admin', 3)],
      [
        'top ClusterRole/admin = a',
        'mid ClusterRole/admin = a',
        'low ClusterRole/admin = a b',
        'beside ClusterRole/admin = a',
      ],
    ],
  ])('%s', (_name, assignments, expected) => {
    const state = aWorkspace({ projects, projectRoles: [deployer, own], assignments });
    expect(describeProjects(state)).toEqual(expected);
  });

  it('ends on a cycle, and below what is gone', () => {
    const damaged = [project(1, 'a', 2), project(2, 'b', 1), project(3, 'c', 9)];
    const assignments = [givePreset('x', 'workspace-viewer', 1)];
    expect(describeProjects(aWorkspace({ projects: damaged, assignments }))).toEqual([
      'a ClusterRole/view = x',
      'b ClusterRole/view = x',
    ]);
  });
});

/** A tree whose n-th project is below an earlier one or at the top, with roles and assignments. */
const anyTree = fc
  .record({
    parents: fc.array(fc.option(fc.nat(7), { nil: null }), { minLength: 1, maxLength: 8 }),
    roles: fc.uniqueArray(
      fc.record({ home: fc.nat(7), name: fc.constantFrom('reader', 'admin', 'view') }),
      { maxLength: 8, selector: ({ home, name }) => `${home}/${name}` },
    ),
    grants: fc.array(
      fc.record({ group: fc.constantFrom('a', 'b', 'c'), kind: fc.nat(3), n: fc.nat(7) }),
      { maxLength: 16 },
    ),
  })
  .map(({ parents, roles, grants }): WorkspaceState => {
    const projects = parents.map((parent, n) =>
      project(n, `p${n}`, parent !== null && parent < n ? parent : undefined),
    );
    const projectRoles = roles
      .filter(({ home }) => home < projects.length)
      .map(({ home, name }, n) => role(100 + n, home, name));
    const assignments = grants.map(({ group, kind, n }) => {
      const some = projectRoles[n % Math.max(1, projectRoles.length)];
      if (kind > 1 && some) return give(group, some);
      const preset = kind === 0 ? 'workspace-admin' : 'workspace-viewer';
      return givePreset(group, preset, n < projects.length ? n : null);
    });
    return aWorkspace({ projects, projectRoles, assignments });
  });

/** `project | what it allows | group` of everything that is bound, with the rules behind the name. */
const listHeld = (objects: readonly ManagedObject[]): string[] => {
  const roles = new Map(
    objects
      .filter((each): each is Role => each.kind === 'Role')
      .map(({ metadata, rules: allowed }) => [
        `${metadata.namespace}/${metadata.name}`,
        JSON.stringify(allowed),
      ]),
  );
  const held = objects.flatMap((each) => {
    if (each.kind !== 'RoleBinding') return [];
    const { namespace } = each.metadata;
    const { kind, name } = each.roleRef;
    const allowed = kind === 'Role' ? roles.get(`${namespace}/${name}`) : name;
    return each.subjects.map((subject) => `${namespace} | ${allowed} | ${subject.name}`);
  });
  return [...new Set(held)].sort();
};

/** The same by the definition: each project asks each assignment whether it was given above. */
const listHeldNaively = (state: WorkspaceState): string[] => {
  const isWithin = (each: Project | undefined, home: string | null): boolean =>
    each !== undefined &&
    (each.id === home ||
      isWithin(
        state.projects.find(({ id }) => id === each.parentId),
        home,
      ));
  const held = state.projects.flatMap((each) =>
    state.assignments.flatMap(({ groupName, projectId, projectRoleId, presetRole }) => {
      const line = (allowed: string) => [`${each.name} | ${allowed} | hexabase:${groupName}`];
      if (presetRole === 'workspace-admin' && projectId === null) return line('admin');
      if (projectId === null || !isWithin(each, projectId)) return [];
      if (presetRole !== null) return line(presetRole === 'workspace-admin' ? 'admin' : 'view');
      const given = state.projectRoles.find(({ id }) => id === projectRoleId);
      return line(JSON.stringify(given?.rules));
    }),
  );
  return [...new Set(held)].sort();
};

describe('the bindings of any tree', () => {
  it('give exactly what was given in a project or above it', () => {
    fc.assert(
      fc.property(anyTree, (state) => {
        expect(listHeld(desiredState(state))).toEqual(listHeldNaively(state));
      }),
      { numRuns: 500 },
    );
  });

  it('refer to Roles that are there, and carry none that nobody holds', () => {
    fc.assert(
      fc.property(anyTree, (state) => {
        const objects = desiredState(state);
        const nameOf = (namespace: string | undefined, name: string) => `${namespace}/${name}`;
        const bound = new Set(
          objects.flatMap((each) =>
            each.kind === 'RoleBinding' && each.roleRef.kind === 'Role'
              ? [nameOf(each.metadata.namespace, each.roleRef.name)]
              : [],
          ),
        );
        const roles = objects.filter(({ kind }) => kind === 'Role');
        const there = new Set(
          roles.map(({ metadata }) => nameOf(metadata.namespace, metadata.name)),
        );
        expect([...bound].filter((name) => !there.has(name))).toEqual([]);
        const carried = [...there].filter((name) => name.includes('.'));
        expect(carried.filter((name) => !bound.has(name))).toEqual([]);
      }),
    );
  });
});
