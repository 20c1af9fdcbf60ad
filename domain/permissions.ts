/**
 * Who may do what, as one table. Organization roles manage the organization, its money and the life
 * of its workspaces, and give nothing inside a workspace; inside, rights follow effective groups.
 */
import { ADMINS_GROUP } from './presets.ts';

/** Roles of an organization user. */
export const ORGANIZATION_ROLES = ['owner', 'admin', 'billing'] as const;
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number];

/** What someone is in a workspace: any member, or one whose effective groups include WSAdmins. */
export type WorkspaceRole = 'member' | 'admin';

/** Whom an action on an organization is open to. */
export const ORGANIZATION_ACTIONS = {
  'organization:read': ['owner', 'admin', 'billing'],
  'organization:write': ['owner', 'admin'],
  'organization:delete': ['owner'],
  'organization:transfer': ['owner'],
  'organization-user:read': ['owner', 'admin', 'billing'],
  'organization-user:write': ['owner', 'admin'],
  'organization-user:leave': ['owner', 'admin', 'billing'],
  'workspace:create': ['owner', 'admin'],
  'workspace:manage': ['owner', 'admin'],
} as const satisfies Record<string, readonly OrganizationRole[]>;

/** Whom an action inside a workspace is open to. */
export const WORKSPACE_ACTIONS = {
  'workspace:read': ['member', 'admin'],
  'workspace:write': ['admin'],
  'workspace:export': ['admin'],
  'workspace:diff': ['admin'],
  'drift:list': ['admin'],
  'group:read': ['member', 'admin'],
  'group:write': ['admin'],
  'member:read': ['member', 'admin'],
  'member:write': ['admin'],
  'member:leave': ['member', 'admin'],
  'service-account:read': ['member', 'admin'],
  'service-account:write': ['admin'],
  'project:read': ['member', 'admin'],
  'project:write': ['admin'],
  'project-role:read': ['member', 'admin'],
  'project-role:write': ['admin'],
  'role-assignment:read': ['member', 'admin'],
  'role-assignment:write': ['admin'],
} as const satisfies Record<string, readonly WorkspaceRole[]>;

/** What only those do whom the settings name as platform administrators. */
export const PLATFORM_ACTIONS = ['plan:write', 'person:revoke'] as const;

/** An action on the platform itself. */
export type PlatformAction = (typeof PLATFORM_ACTIONS)[number];
/** An action on an organization. */
export type OrganizationAction = keyof typeof ORGANIZATION_ACTIONS;
/** An action inside a workspace. */
export type WorkspaceAction = keyof typeof WORKSPACE_ACTIONS;

/** Whether an organization user with this role may do it; nobody without a role may. */
export const mayInOrganization = (
  role: OrganizationRole | undefined,
  action: OrganizationAction,
): boolean =>
  role !== undefined && (ORGANIZATION_ACTIONS[action] as readonly string[]).includes(role);

/** Whether a person with this workspace role may do it; nobody without one may. */
export const mayInWorkspace = (role: WorkspaceRole | undefined, action: WorkspaceAction): boolean =>
  role !== undefined && (WORKSPACE_ACTIONS[action] as readonly string[]).includes(role);

/** The role that a member's effective groups (by name) give in the workspace. */
export const toWorkspaceRole = (effectiveGroups: Iterable<string>): WorkspaceRole =>
  [...effectiveGroups].includes(ADMINS_GROUP) ? 'admin' : 'member';

/**
 * Whether an organization user may give a role to someone, change or end it: nobody reaches above
 * their own role, so only owners make, change and remove owners.
 */
export const mayGiveOrganizationRole = (giver: OrganizationRole, role: OrganizationRole): boolean =>
  mayInOrganization(giver, 'organization-user:write') && (giver === 'owner' || role !== 'owner');
