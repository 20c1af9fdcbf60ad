import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredState } from './desired-state.ts';
import { formatId } from './identifiers.ts';
import { type ManagedKind, type ManagedObject, toObjectKey } from './kubernetes-objects.ts';
import type { Assignment, WorkspaceState } from './workspace-state.ts';

const WORKSPACE = '01940000-0000-7000-8000-0000000000aa';
const ORGANIZATION = '01940000-0000-7000-8000-0000000000bb';
const idOf = (n: number) => `01940000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const RULES = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const project = (n: number, name: string, parent?: number) => ({
  id: idOf(n),
  name,
  parentId: parent === undefined ? null : idOf(parent),
  quota: null,
});
const role = (n: number, home: number, name: string) => ({
  id: idOf(n),
  projectId: idOf(home),
  name,
  rules: RULES,
});
const assign = (groupName: string, grant: Partial<Assignment>): Assignment => ({
  groupName,
  projectId: null,
  projectRoleId: null,
  presetRole: null,
  ...grant,
});
const aWorkspace = (state: Partial<WorkspaceState>): WorkspaceState => ({
  workspaceId: WORKSPACE,
  organizationId: ORGANIZATION,
  plan: { projectQuota: {}, limitRange: [], networkPolicy: 'none' },
  projects: [],
  projectRoles: [],
  assignments: [],
  ...state,
});

/** `scope role = groups` of each binding, to read at a glance. */
const describeBindings = (objects: readonly ManagedObject[]): string[] =>
  objects.flatMap((object) =>
    object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding'
      ? [
          `${object.metadata.namespace ?? '*'} ${object.roleRef.kind}/${object.roleRef.name} = ${object.subjects.map(({ name }) => name).join(' ')}`,
        ]
      : [],
  );

describe('the bindings of a workspace', () => {
  const shop = project(1, 'shop');
  const blog = project(2, 'blog');
  const deployer = role(3, 1, 'deployer');
  it.each<[string, Partial<WorkspaceState>, string[]]>([
    ['none without assignments', { projects: [shop] }, []],
    [
      'a workspace admin reads the cluster, and is admin in every project',
      {
        projects: [shop, blog],
        assignments: [assign('WSAdmins', { presetRole: 'workspace-admin' })],
      },
      [
        '* ClusterRole/hexabase:workspace-admin = hexabase:WSAdmins',
        '* ClusterRole/hexabase:workspace-viewer = hexabase:WSAdmins',
        'shop ClusterRole/admin = hexabase:WSAdmins',
        'blog ClusterRole/admin = hexabase:WSAdmins',
      ],
    ],
    [
      'a workspace viewer reads, and has nothing in the projects',
      {
        projects: [shop],
        assignments: [assign('auditors', { presetRole: 'workspace-viewer' })],
      },
      ['* ClusterRole/hexabase:workspace-viewer = hexabase:auditors'],
    ],
    [
      'presets in a project are built-ins in its namespace',
      {
        projects: [shop, blog],
        assignments: [
          assign('leads', { presetRole: 'workspace-admin', projectId: shop.id }),
          assign('readers', { presetRole: 'workspace-viewer', projectId: shop.id }),
        ],
      },
      ['shop ClusterRole/admin = hexabase:leads', 'shop ClusterRole/view = hexabase:readers'],
    ],
    [
      'groups of one role in one scope share a binding, sorted, each once',
      {
        projects: [shop, blog],
        projectRoles: [deployer],
        assignments: [
          assign('b', { projectRoleId: deployer.id, projectId: shop.id }),
          assign('a', { projectRoleId: deployer.id, projectId: shop.id }),
          assign('leads', { presetRole: 'workspace-admin', projectId: blog.id }),
          assign('WSAdmins', { presetRole: 'workspace-admin' }),
          assign('WSAdmins', { presetRole: 'workspace-admin', projectId: blog.id }),
        ],
      },
      [
        '* ClusterRole/hexabase:workspace-admin = hexabase:WSAdmins',
        '* ClusterRole/hexabase:workspace-viewer = hexabase:WSAdmins',
        'shop ClusterRole/admin = hexabase:WSAdmins',
        'shop Role/hexabase:deployer = hexabase:a hexabase:b',
        'blog ClusterRole/admin = hexabase:WSAdmins hexabase:leads',
      ],
    ],
    [
      'assignments of what is gone give nothing',
      {
        projects: [shop],
        assignments: [
          assign('a', { projectRoleId: idOf(9), projectId: shop.id }),
          assign('a', { presetRole: 'workspace-admin', projectId: idOf(9) }),
        ],
      },
      [],
    ],
  ])('%s', (_name, state, expected) => {
    expect(describeBindings(desiredState(aWorkspace(state)))).toEqual(expected);
  });
});

describe('a project', () => {
  it('has a tree label for itself and for each project above it', () => {
    const projects = [project(1, 'top'), project(2, 'mid', 1), project(3, 'low', 2)];
    const treeOf = ({ metadata }: ManagedObject) =>
      Object.entries(metadata.labels).filter(([name]) => name.includes('.tree.'));
    expect(desiredState(aWorkspace({ projects })).map(treeOf)).toEqual([
      [['top.tree.kaas.hexabase.io/depth', '0']],
      [
        ['mid.tree.kaas.hexabase.io/depth', '0'],
        ['top.tree.kaas.hexabase.io/depth', '1'],
      ],
      [
        ['low.tree.kaas.hexabase.io/depth', '0'],
        ['mid.tree.kaas.hexabase.io/depth', '1'],
        ['top.tree.kaas.hexabase.io/depth', '2'],
      ],
    ]);
  });

  it('says whose it is: organization, workspace and project', () => {
    const [namespace] = desiredState(aWorkspace({ projects: [project(1, 'shop')] }));
    expect(namespace?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'hexabase-rbac-sync',
      'app.kubernetes.io/part-of': 'hexabase-kaas',
      owner: formatId('organization', ORGANIZATION),
      'kaas.hexabase.io/organization': formatId('organization', ORGANIZATION),
      'kaas.hexabase.io/workspace': formatId('workspace', WORKSPACE),
      'kaas.hexabase.io/project': formatId('project', idOf(1)),
      'shop.tree.kaas.hexabase.io/depth': '0',
    });
  });

  it('lets in its tree alone on an isolating plan, which each of its levels says alike', () => {
    const projects = [project(1, 'top'), project(2, 'low', 1), project(3, 'alone')];
    const policies = desiredState(
      aWorkspace({
        plan: { projectQuota: {}, limitRange: [], networkPolicy: 'isolate' },
        projects,
      }),
    ).filter((object) => object.kind === 'NetworkPolicy');
    const keys = policies.map(({ metadata, spec }) => [
      metadata.namespace,
      spec.ingress[0]?.from[0]?.namespaceSelector.matchExpressions[0]?.key,
    ]);
    expect(keys).toEqual([
      ['top', 'top.tree.kaas.hexabase.io/depth'],
      ['low', 'top.tree.kaas.hexabase.io/depth'],
      ['alone', 'alone.tree.kaas.hexabase.io/depth'],
    ]);
  });

  it('has the plan’s quota with the project’s own overrides, and the plan’s limits', () => {
    const objects = desiredState(
      aWorkspace({
        plan: {
          projectQuota: { pods: '10', 'requests.cpu': '4' },
          limitRange: [{ type: 'Container', default: { cpu: '1' } }],
          networkPolicy: 'isolate',
        },
        projects: [{ ...project(1, 'shop'), quota: { pods: '3' } }],
      }),
    );
    expect(objects.map(toObjectKey)).toEqual([
      'Namespace//shop',
      'ResourceQuota/shop/hexabase-plan',
      'LimitRange/shop/hexabase-plan',
      'NetworkPolicy/shop/hexabase-plan',
    ]);
    expect(objects[1]).toMatchObject({ spec: { hard: { pods: '3', 'requests.cpu': '4' } } });
  });
});

const anyWorkspace = fc
  .record({
    names: fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,6}[a-z0-9]$/), { maxLength: 6 }),
    parents: fc.array(fc.nat(5), { minLength: 6, maxLength: 6 }),
    roles: fc.uniqueArray(
      fc.record({ home: fc.nat(5), name: fc.constantFrom('admin', 'view', 'a', 'b', 'admin-a') }),
      { maxLength: 8, selector: ({ home, name }) => `${home}/${name}` },
    ),
    grants: fc.array(
      fc.record({ group: fc.constantFrom('a', 'b', 'WSAdmins'), kind: fc.nat(4), n: fc.nat(8) }),
      { maxLength: 20 },
    ),
  })
  .map(({ names, parents, roles, grants }): WorkspaceState => {
    const projects = names.map((name, n) => {
      const parent = parents[n] ?? 0;
      return project(n, name, parent < n ? parent : undefined);
    });
    const projectRoles = roles
      .filter(({ home }) => home < projects.length)
      .map(({ home, name }, n) => role(100 + n, home, name));
    return aWorkspace({
      projects,
      projectRoles,
      assignments: grants.map(({ group, kind, n }) => {
        const preset = kind % 2 === 0 ? 'workspace-admin' : 'workspace-viewer';
        const home = projectRoles[n % Math.max(1, projectRoles.length)];
        if (kind === 4 && home) {
          return assign(group, { projectRoleId: home.id, projectId: home.projectId });
        }
        return assign(group, { presetRole: preset, projectId: kind < 2 ? null : idOf(n) });
      }),
    });
  });

const RANK: Record<ManagedKind, number> = {
  Namespace: 0,
  ResourceQuota: 1,
  LimitRange: 1,
  NetworkPolicy: 1,
  Role: 2,
  ClusterRoleBinding: 3,
  RoleBinding: 3,
};

describe('desiredState', () => {
  it('names each object once', () => {
    fc.assert(
      fc.property(anyWorkspace, (state) => {
        const keys = desiredState(state).map(toObjectKey);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  it('never gives two roleRefs one binding name', () => {
    fc.assert(
      fc.property(anyWorkspace, (state) => {
        const roleRefs = new Map<string, string>();
        for (const object of desiredState(state)) {
          if (!('roleRef' in object)) continue;
          const { kind, name } = object.roleRef;
          const key = object.metadata.name;
          expect(roleRefs.get(key) ?? `${kind}/${name}`).toBe(`${kind}/${name}`);
          roleRefs.set(key, `${kind}/${name}`);
        }
      }),
    );
  });

  it('is the same whatever the order of the rows', () => {
    fc.assert(
      fc.property(anyWorkspace, (state) => {
        const byKey = (objects: ManagedObject[]) =>
          objects.toSorted((a, b) => (toObjectKey(a) < toObjectKey(b) ? -1 : 1));
        const reversed = {
          ...state,
          projects: state.projects.toReversed(),
          projectRoles: state.projectRoles.toReversed(),
          assignments: state.assignments.toReversed(),
        };
        expect(byKey(desiredState(reversed))).toEqual(byKey(desiredState(state)));
      }),
    );
  });

  it('puts what others need first', () => {
    fc.assert(
      fc.property(anyWorkspace, (state) => {
        const ranks = desiredState(state).map(({ kind }) => RANK[kind]);
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      }),
    );
  });

  it('holds a thousand projects and a thousand admin groups', () => {
    const state = aWorkspace({
      projects: Array.from({ length: 1000 }, (_, n) => project(n, `p${n}`)),
      assignments: Array.from({ length: 1000 }, (_, n) =>
        assign(`g${n}`, { presetRole: 'workspace-admin' }),
      ),
    });
    const bindings = desiredState(state).filter(({ kind }) => kind === 'RoleBinding');
    expect(bindings).toHaveLength(1000);
    expect(bindings.every((each) => 'subjects' in each && each.subjects.length === 1000)).toBe(
      true,
    );
  });
});
