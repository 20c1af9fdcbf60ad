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

/** A role given to a group in a namespace, or in the whole cluster when there is no project. */
type Grant = {
  readonly project: Project | undefined;
  readonly role: RoleRef;
  readonly group: string;
};

const desiredBindings = (state: WorkspaceState): ManagedObject[] => {
  const bindings = new Map<string, { grant: Grant; groups: Set<string> }>();
  for (const grant of state.assignments.flatMap((assignment) => toGrants(state, assignment))) {
    const key = JSON.stringify([grant.project?.name ?? null, grant.role.kind, grant.role.name]);
    const binding = bindings.get(key) ?? { grant, groups: new Set() };
    bindings.set(key, { grant, groups: binding.groups.add(grant.group) });
  }
  return Array.from(bindings.values(), ({ grant, groups }) => desiredBinding(state, grant, groups));
};

const toGrants = (state: WorkspaceState, assignment: Assignment): Grant[] => {
  const { groupName: group, presetRole, projectId, projectRoleId } = assignment;
  const project = state.projects.find((candidate) => candidate.id === projectId);
  if (presetRole === null) {
    const role = state.projectRoles.find((candidate) => candidate.id === projectRoleId);
    const home = state.projects.find((candidate) => candidate.id === role?.projectId);
    return role && home
      ? [{ project: home, role: roleRef('Role', toRoleName(role.name)), group }]
      : [];
  }
  const inNamespace = roleRef('ClusterRole', NAMESPACE_CLUSTER_ROLES[presetRole]);
  if (projectId !== null) return project ? [{ project, role: inNamespace, group }] : [];
  const presets: PresetRole[] =
    presetRole === 'workspace-admin' ? ['workspace-admin', 'workspace-viewer'] : [presetRole];
  return [
    ...presets.map((preset) => ({
      project: undefined,
      role: roleRef('ClusterRole', PRESET_CLUSTER_ROLES[preset]),
      group,
    })),
    ...(presetRole === 'workspace-admin'
      ? state.projects.map((each) => ({ project: each, role: inNamespace, group }))
      : []),
  ];
};

const roleRef = (kind: RoleRef['kind'], name: string): RoleRef => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind,
  name,
});

const desiredBinding = (
  state: WorkspaceState,
  { project, role }: Grant,
  groups: ReadonlySet<string>,
): ManagedObject => {
  const subjects = [...groups].sort().map(
    (name): GroupSubject => ({
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'Group',
      name: toKubernetesGroup(name),
    }),
  );
  const name = bindingName(role);
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return project
    ? {
        apiVersion,
        kind: 'RoleBinding',
        metadata: { name, namespace: project.name, labels: labels(state, project) },
        roleRef: role,
        subjects,
      }
    : {
        apiVersion,
        kind: 'ClusterRoleBinding',
        metadata: { name, labels: labels(state) },
        roleRef: role,
        subjects,
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
