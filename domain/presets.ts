/**
 * What every workspace starts with: three groups and two ClusterRoles. They are Hexabase's and can't
 * be renamed, moved, changed or deleted; nobody can make other ClusterRoles.
 */

/** The preset groups, parents first. */
export const PRESET_GROUPS = [
  { name: 'WorkspaceMembers', parent: null },
  { name: 'WSAdmins', parent: 'WorkspaceMembers' },
  { name: 'WSUsers', parent: 'WorkspaceMembers' },
] as const;

/** The group at the top of every workspace's tree. */
export const MEMBERS_GROUP = 'WorkspaceMembers';

/** The group whose members administer a workspace. */
export const ADMINS_GROUP = 'WSAdmins';

/** The preset ClusterRoles, by the name that an assignment uses. */
export const PRESET_CLUSTER_ROLES = {
  'workspace-admin': 'hexabase:workspace-admin',
  'workspace-viewer': 'hexabase:workspace-viewer',
} as const;

/** A preset ClusterRole as an assignment names it. */
export type PresetRole = keyof typeof PRESET_CLUSTER_ROLES;

/** The names of the presets, for schemas. */
export const PRESET_ROLES = Object.keys(PRESET_CLUSTER_ROLES) as [PresetRole, ...PresetRole[]];

/**
 * The built-in ClusterRole that a preset gives inside one project's namespace. The presets
 * themselves hold cluster-wide reads only: a cluster-wide `admin` carries `impersonate` on service
 * accounts and is a takeover of the cluster.
 */
export const NAMESPACE_CLUSTER_ROLES = {
  'workspace-admin': 'admin',
  'workspace-viewer': 'view',
} as const satisfies Record<PresetRole, string>;
