/**
 * Who holds what where in a workspace's cluster: its assignments, with what they carry into the
 * projects below. Pure.
 */
import type { RoleRef } from './kubernetes-objects.ts';
import { NAMESPACE_CLUSTER_ROLES, PRESET_CLUSTER_ROLES, type PresetRole } from './presets.ts';
import { createProjectTree, listLineage } from './project-tree.ts';
import type { Assignment, ProjectRole, WorkspaceState } from './workspace-state.ts';

/** The groups that hold one role in one scope: one binding. */
export type Grant = {
  readonly role: RoleRef;
  readonly groups: ReadonlySet<string>;
  /** The role of a project above that this scope needs a Role for. */
  readonly carried: ProjectRole | undefined;
};

/** The grants of one scope, a namespace or the whole cluster, by {@link toRoleKey}. */
export type Grants = ReadonlyMap<string, Grant>;

/** The grants of a workspace. */
export type WorkspaceGrants = {
  readonly cluster: Grants;
  /** By the project's id; every project has an entry. */
  readonly projects: ReadonlyMap<string, Grants>;
};

/**
 * Resolves a workspace's assignments. A preset in the whole workspace is held cluster-wide; anything
 * else in its project and in every project below it. Assignments of what is gone give nothing.
 */
export const resolveGrants = (state: WorkspaceState): WorkspaceGrants => {
  const cluster: Scope = new Map();
  for (const { groupName, presetRole, projectId } of state.assignments) {
    if (presetRole === null || projectId !== null) continue;
    for (const preset of WORKSPACE_PRESETS[presetRole]) {
      grant(cluster, toRoleRef('ClusterRole', PRESET_CLUSTER_ROLES[preset]), groupName);
    }
  }
  return { cluster, projects: resolveProjects(state) };
};

/** The presets that an assignment of a preset in the whole workspace gives. */
const WORKSPACE_PRESETS: Record<PresetRole, readonly PresetRole[]> = {
  'workspace-admin': ['workspace-admin', 'workspace-viewer'],
  'workspace-viewer': ['workspace-viewer'],
};

const resolveProjects = (state: WorkspaceState): ReadonlyMap<string, Grants> => {
  const tree = createProjectTree(state.projects);
  const nameOf = new Map(state.projects.map(({ id, name }) => [id, name]));
  const roles = new Map(state.projectRoles.map((role) => [role.id, role]));
  const assignments = Map.groupBy(state.assignments, ({ projectId }) => projectId);
  const resolve = (projectId: string): Grants => {
    const scope: Scope = new Map();
    for (const home of listLineage(tree, projectId)) {
      const from = home === projectId ? undefined : nameOf.get(home);
      for (const assignment of assignments.get(home) ?? []) give(scope, assignment, roles, from);
    }
    return scope;
  };
  return new Map(state.projects.map(({ id }) => [id, resolve(id)]));
};

type Scope = Map<string, Grant & { readonly groups: Set<string> }>;

/** @param from the name of the project above that it was given in, if it was */
const give = (
  scope: Scope,
  { groupName, presetRole, projectId, projectRoleId }: Assignment,
  roles: ReadonlyMap<string, ProjectRole>,
  from: string | undefined,
): void => {
  if (presetRole !== null) {
    grant(scope, toRoleRef('ClusterRole', NAMESPACE_CLUSTER_ROLES[presetRole]), groupName);
    return;
  }
  const role = roles.get(projectRoleId ?? '');
  if (role?.projectId !== projectId) return;
  const carried = from === undefined ? undefined : role;
  grant(scope, toRoleRef('Role', toRoleName(role.name, from)), groupName, carried);
};

const grant = (scope: Scope, role: RoleRef, group: string, carried?: ProjectRole): void => {
  const key = toRoleKey(role);
  const known = scope.get(key);
  if (known) known.groups.add(group);
  else scope.set(key, { role, groups: new Set([group]), carried });
};

/** The key of a role among the grants of a scope. */
export const toRoleKey = ({ kind, name }: Pick<RoleRef, 'kind' | 'name'>): string =>
  `${kind}/${name}`;

/** A reference to a role, as bindings have it. */
export const toRoleRef = (kind: RoleRef['kind'], name: string): RoleRef => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind,
  name,
});

/**
 * The name of the Role that carries a project role; tenants can't make roles with this prefix.
 * Below its own project it has the project's name behind a dot: neither the names of roles nor those
 * of projects can hold one, so that it is never the name of another.
 *
 * @param from the name of the role's project, when the Role is in a project below that
 */
export const toRoleName = (projectRoleName: string, from?: string): string =>
  `hexabase:${projectRoleName}${from === undefined ? '' : `.${from}`}`;
