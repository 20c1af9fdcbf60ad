/**
 * What should exist in a workspace's cluster, as a pure function of the workspace's rows. Preview,
 * explanation and synchronization all ask this function.
 */
import { createHash } from 'node:crypto';
import { toKubernetesGroup } from './group-name.ts';
import { formatId } from './identifiers.ts';
import {
  type GroupSubject,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  type ManagedObject,
  type Metadata,
  type RoleRef,
} from './kubernetes-objects.ts';
import type { LimitRangeItem, ResourceQuotaHard } from './plan.ts';
import type { PolicyRule } from './policy-rule.ts';
import { NAMESPACE_CLUSTER_ROLES, PRESET_CLUSTER_ROLES, type PresetRole } from './presets.ts';

/** What of a workspace decides its cluster's content. Ids are UUIDs. */
export type WorkspaceState = {
  readonly workspaceId: string;
  readonly plan: {
    readonly projectQuota: ResourceQuotaHard;
    readonly limitRange: readonly LimitRangeItem[];
  };
  readonly projects: readonly {
    readonly id: string;
    readonly name: string;
    readonly quota: ResourceQuotaHard | null;
  }[];
  readonly projectRoles: readonly {
    readonly id: string;
    readonly projectId: string;
    readonly name: string;
    readonly rules: readonly PolicyRule[];
  }[];
  readonly assignments: readonly Assignment[];
};

/** A role given to a group: a preset in the workspace or a project, or a project role. */
export type Assignment = {
  readonly groupName: string;
  readonly projectId: string | null;
  readonly projectRoleId: string | null;
  readonly presetRole: PresetRole | null;
};

/** The name of the ResourceQuota and the LimitRange in each project namespace. */
export const PLAN_OBJECT_NAME = 'hexabase-plan';

/**
 * The objects, each once, in the order in which they must be applied: namespaces, quotas and
 * limits, roles, bindings.
 *
 * A grant is one binding per (scope, role) with group subjects, so the number of bindings does not
 * grow with people. Whoever holds workspace-admin also gets the built-in `admin` inside each
 * project namespace, because the preset itself writes nothing; and workspace-viewer, to read.
 */
export const desiredState = (state: WorkspaceState): ManagedObject[] => {
  const byProject = new Map(state.projects.map((project) => [project.id, project]));
  return [
    ...state.projects.map((project) => desiredNamespace(state, project)),
    ...state.projects.flatMap((project) => desiredLimits(state, project)),
    ...state.projectRoles.flatMap((role) => {
      const project = byProject.get(role.projectId);
      return project ? [desiredRole(state, project, role)] : [];
    }),
    ...desiredBindings(state),
  ];
};

type Project = WorkspaceState['projects'][number];
type ProjectRole = WorkspaceState['projectRoles'][number];

const labels = (state: WorkspaceState, project?: Project): Metadata['labels'] => ({
  [MANAGED_BY_LABEL]: MANAGED_BY,
  'app.kubernetes.io/part-of': 'hexabase-kaas',
  'kaas.hexabase.io/workspace': formatId('workspace', state.workspaceId),
  ...(project && { 'kaas.hexabase.io/project': formatId('project', project.id) }),
});

const desiredNamespace = (state: WorkspaceState, project: Project): ManagedObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: project.name, labels: labels(state, project) },
});

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

/** The name of the Role that carries a project role; tenants can't make roles with this prefix. */
export const toRoleName = (projectRoleName: string): string => `hexabase:${projectRoleName}`;

const desiredRole = (
  state: WorkspaceState,
  project: Project,
  role: ProjectRole,
): ManagedObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: {
    name: toRoleName(role.name),
    namespace: project.name,
    labels: labels(state, project),
  },
  rules: role.rules,
});

/** The groups that hold one role in one scope: one binding. */
type Grant = { readonly role: RoleRef; readonly groups: Set<string> };
/** The grants of one scope, a namespace or the whole cluster, by the role's key. */
type Grants = Map<string, Grant>;

const desiredBindings = (state: WorkspaceState): ManagedObject[] => {
  const cluster: Grants = new Map();
  const byProject = new Map<string, Grants>(state.projects.map(({ id }) => [id, new Map()]));
  const roles = new Map(state.projectRoles.map((role) => [role.id, role]));
  for (const { groupName, presetRole, projectId, projectRoleId } of state.assignments) {
    if (presetRole === null) {
      const role = roles.get(projectRoleId ?? '');
      const home = byProject.get(role?.projectId ?? '');
      if (role) grant(home, roleRef('Role', toRoleName(role.name)), groupName);
    } else if (projectId === null) {
      for (const preset of WORKSPACE_PRESETS[presetRole]) {
        grant(cluster, roleRef('ClusterRole', PRESET_CLUSTER_ROLES[preset]), groupName);
      }
    } else {
      const role = roleRef('ClusterRole', NAMESPACE_CLUSTER_ROLES[presetRole]);
      grant(byProject.get(projectId), role, groupName);
    }
  }
  return [
    ...Array.from(cluster.values(), (each) => desiredBinding(state, undefined, each)),
    ...desiredProjectBindings(state, cluster, byProject),
  ];
};

/** The presets that an assignment of a preset in the whole workspace gives. */
const WORKSPACE_PRESETS: Record<PresetRole, readonly PresetRole[]> = {
  'workspace-admin': ['workspace-admin', 'workspace-viewer'],
  'workspace-viewer': ['workspace-viewer'],
};

/** A scope that isn't there (a project that is gone) takes nothing. */
const grant = (scope: Grants | undefined, role: RoleRef, group: string): void => {
  const key = keyOf(role);
  const known = scope?.get(key);
  if (known) known.groups.add(group);
  else scope?.set(key, { role, groups: new Set([group]) });
};

const keyOf = ({ kind, name }: RoleRef): string => `${kind}/${name}`;

const desiredProjectBindings = (
  state: WorkspaceState,
  cluster: Grants,
  byProject: ReadonlyMap<string, Grants>,
): ManagedObject[] => {
  const preset = roleRef('ClusterRole', PRESET_CLUSTER_ROLES['workspace-admin']);
  const admin = roleRef('ClusterRole', NAMESPACE_CLUSTER_ROLES['workspace-admin']);
  const everywhere = cluster.get(keyOf(preset))?.groups ?? new Set<string>();
  // Most projects have no admins of their own: they share the list and its sorting.
  const shared = toSubjects(everywhere);
  return state.projects.flatMap((project) => {
    const grants: Grants = new Map(byProject.get(project.id));
    const own = grants.get(keyOf(admin))?.groups;
    grants.delete(keyOf(admin));
    const subjects = own ? toSubjects(new Set([...everywhere, ...own])) : shared;
    return [
      ...(subjects.length > 0 ? [toBinding(state, project, admin, subjects)] : []),
      ...Array.from(grants.values(), (each) => desiredBinding(state, project, each)),
    ];
  });
};

const roleRef = (kind: RoleRef['kind'], name: string): RoleRef => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind,
  name,
});

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
