/**
 * What should exist in a workspace's cluster, as a pure function of the workspace's rows. Preview,
 * explanation and synchronization all ask this function.
 */
import { createHash } from 'node:crypto';
import {
  type Grant,
  type Grants,
  resolveGrants,
  toRoleKey,
  toRoleName,
  toRoleRef,
  type WorkspaceGrants,
} from './grants.ts';
import { toKubernetesGroup } from './group-name.ts';
import { formatId } from './identifiers.ts';
import {
  type GroupSubject,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  type ManagedObject,
  type Metadata,
  PROJECT_LABEL,
  type RoleRef,
} from './kubernetes-objects.ts';
import type { PolicyRule } from './policy-rule.ts';
import { NAMESPACE_CLUSTER_ROLES, PRESET_CLUSTER_ROLES } from './presets.ts';
import {
  createProjectTree,
  listLineage,
  type ProjectTree,
  TREE_LABEL_SUFFIX,
  toTreeLabels,
} from './project-tree.ts';
import type { Project, WorkspaceState } from './workspace-state.ts';

/** The name of the ResourceQuota, the LimitRange and the NetworkPolicy in each project namespace. */
export const PLAN_OBJECT_NAME = 'hexabase-plan';

/**
 * The objects, each once, in the order in which they must be applied: namespaces, what the plan says
 * of them, roles, bindings.
 *
 * A grant is one binding per (scope, role) with group subjects, so the number of bindings does not
 * grow with people. Whoever holds workspace-admin also gets the built-in `admin` inside each
 * project namespace, because the preset itself writes nothing; and workspace-viewer, to read. What
 * is given in a project is also given in every project below it; a project role goes along.
 */
export const desiredState = (state: WorkspaceState): ManagedObject[] => {
  const tree = createProjectTree(state.projects);
  const byId = new Map(state.projects.map((project) => [project.id, project]));
  const grants = resolveGrants(state);
  return [
    ...state.projects.map((project) => desiredNamespace(state, project, { tree, byId })),
    ...state.projects.flatMap((project) => desiredLimits(state, project)),
    ...state.projects.flatMap((project) => desiredNetworkPolicy(state, project, { tree, byId })),
    ...desiredRoles(state, byId, grants),
    ...desiredBindings(state, grants),
  ];
};

type ProjectsById = ReadonlyMap<string, Project>;

type Tree = { readonly tree: ProjectTree; readonly byId: ProjectsById };

const labels = (state: WorkspaceState, project?: Project): Metadata['labels'] => ({
  [MANAGED_BY_LABEL]: MANAGED_BY,
  'app.kubernetes.io/part-of': 'hexabase-kaas',
  'kaas.hexabase.io/workspace': formatId('workspace', state.workspaceId),
  ...(project && { [PROJECT_LABEL]: formatId('project', project.id) }),
});

const desiredNamespace = (
  state: WorkspaceState,
  project: Project,
  { tree, byId }: Tree,
): ManagedObject => {
  const names = listLineage(tree, project.id).flatMap((id) => byId.get(id)?.name ?? []);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: project.name,
      labels: {
        ...labels(state, project),
        owner: formatId('organization', state.organizationId),
        'kaas.hexabase.io/organization': formatId('organization', state.organizationId),
        ...toTreeLabels(names),
      },
    },
  };
};

const desiredLimits = (state: WorkspaceState, project: Project): ManagedObject[] => {
  const metadata = {
    name: PLAN_OBJECT_NAME,
    namespace: project.name,
    labels: labels(state, project),
  };
  const hard = { ...state.plan.projectQuota, ...project.quota };
  const limits = state.plan.limitRange;
  return [
    ...(Object.keys(hard).length > 0
      ? [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } } as const]
      : []),
    ...(limits.length > 0
      ? [{ apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } } as const]
      : []),
  ];
};

/**
 * Lets in what comes from the project's tree. Everything else is refused to pods that no other policy
 * selects; a project opens itself further by NetworkPolicies of its own, which add to this one.
 */
const desiredNetworkPolicy = (
  state: WorkspaceState,
  project: Project,
  { tree, byId }: Tree,
): ManagedObject[] => {
  if (state.plan.networkPolicy === 'none') return [];
  const top = byId.get(listLineage(tree, project.id).at(-1) ?? '') ?? project;
  const key = `${top.name}${TREE_LABEL_SUFFIX}`;
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: {
        name: PLAN_OBJECT_NAME,
        namespace: project.name,
        labels: labels(state, project),
      },
      spec: {
        podSelector: {},
        policyTypes: ['Ingress'],
        ingress: [
          { from: [{ namespaceSelector: { matchExpressions: [{ key, operator: 'Exists' }] } }] },
        ],
      },
    },
  ];
};

/** Every role in its own project; in those below, the ones that a group holds there. */
const desiredRoles = (
  state: WorkspaceState,
  byId: ProjectsById,
  grants: WorkspaceGrants,
): ManagedObject[] => [
  ...state.projectRoles.flatMap(({ projectId, name, rules }) => {
    const project = byId.get(projectId);
    return project ? [toRole(state, project, { name: toRoleName(name), rules })] : [];
  }),
  ...state.projects.flatMap((project) =>
    [...(grants.projects.get(project.id)?.values() ?? [])].flatMap(({ role, carried }) =>
      carried ? [toRole(state, project, { name: role.name, rules: carried.rules })] : [],
    ),
  ),
];

const toRole = (
  state: WorkspaceState,
  project: Project,
  { name, rules }: { name: string; rules: readonly PolicyRule[] },
): ManagedObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name, namespace: project.name, labels: labels(state, project) },
  rules,
});

const desiredBindings = (state: WorkspaceState, grants: WorkspaceGrants): ManagedObject[] => {
  const { cluster, projects } = grants;
  const preset = toRoleRef('ClusterRole', PRESET_CLUSTER_ROLES['workspace-admin']);
  const everywhere = cluster.get(toRoleKey(preset))?.groups ?? new Set<string>();
  // Most projects have no admins of their own: they share the list and its sorting.
  const shared = { groups: everywhere, subjects: toSubjects(everywhere) };
  return [
    ...Array.from(cluster.values(), (each) => desiredBinding(state, undefined, each)),
    ...state.projects.flatMap((project) =>
      desiredProjectBindings(state, project, { grants: projects.get(project.id), shared }),
    ),
  ];
};

/** The groups that administer every project, and the same as subjects. */
type Shared = {
  readonly groups: ReadonlySet<string>;
  readonly subjects: readonly GroupSubject[];
};

const desiredProjectBindings = (
  state: WorkspaceState,
  project: Project,
  { grants = new Map(), shared }: { grants: Grants | undefined; shared: Shared },
): ManagedObject[] => {
  const admin = toRoleRef('ClusterRole', NAMESPACE_CLUSTER_ROLES['workspace-admin']);
  const own = grants.get(toRoleKey(admin))?.groups;
  const subjects = own ? toSubjects(new Set([...shared.groups, ...own])) : shared.subjects;
  const others = [...grants].filter(([key]) => key !== toRoleKey(admin));
  return [
    ...(subjects.length > 0 ? [toBinding(state, project, admin, subjects)] : []),
    ...others.map(([, each]) => desiredBinding(state, project, each)),
  ];
};

const desiredBinding = (
  state: WorkspaceState,
  project: Project | undefined,
  { role, groups }: Grant,
): ManagedObject => toBinding(state, project, role, toSubjects(groups));

const toSubjects = (groups: ReadonlySet<string>): GroupSubject[] =>
  [...groups].sort().map((name) => ({
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'Group',
    name: toKubernetesGroup(name),
  }));

const toBinding = (
  state: WorkspaceState,
  project: Project | undefined,
  role: RoleRef,
  subjects: readonly GroupSubject[],
): ManagedObject => {
  const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', roleRef: role, subjects } as const;
  const name = bindingName(role);
  return project
    ? {
        ...binding,
        kind: 'RoleBinding',
        metadata: { name, namespace: project.name, labels: labels(state, project) },
      }
    : {
        ...binding,
        kind: 'ClusterRoleBinding',
        metadata: { name, labels: labels(state) },
      };
};

/**
 * A binding's name: readable, and unique to its `roleRef` by a hash of it, since Kubernetes refuses
 * to change a roleRef: another role is another object, never an illegal update.
 */
const bindingName = ({ kind, name }: RoleRef): string => {
  const hash = createHash('sha256')
    .update(JSON.stringify([kind, name]))
    .digest('hex')
    .slice(0, 10);
  return `hexabase:${name.replace(/^hexabase:/, '')}:${hash}`;
};
