import {
  ORGANIZATION_ACTIONS,
  ORGANIZATION_ROLES,
  type OrganizationAction,
  WORKSPACE_ACTIONS,
  type WorkspaceAction,
} from '#domain/permissions.ts';
import { ADMINS_GROUP } from '#domain/presets.ts';
import type { Permission } from '../route.ts';

/** One way to be allowed: an action, and which roles have it where. */
export type Need = {
  readonly in: 'platform' | 'organization' | 'workspace';
  readonly action: string;
  readonly roles: readonly string[];
};

/** The ways to be allowed, any one of which is enough; a word for a route that asks for no role. */
export const toNeeds = (permission: Permission): 'public' | 'signed-in' | readonly Need[] => {
  if (typeof permission === 'string') return permission;
  if ('platform' in permission) {
    return [{ in: 'platform', action: permission.platform, roles: ['platform administrator'] }];
  }
  if ('organization' in permission) return [inOrganization(permission.organization)];
  if ('organizationOfWorkspace' in permission) {
    return [inOrganization(permission.organizationOfWorkspace)];
  }
  const { workspace, orOrganization } = permission;
  return [inWorkspace(workspace), ...(orOrganization ? [inOrganization(orOrganization)] : [])];
};

const inOrganization = (action: OrganizationAction): Need => ({
  in: 'organization',
  action,
  roles: ORGANIZATION_ACTIONS[action],
});

const inWorkspace = (action: WorkspaceAction): Need => ({
  in: 'workspace',
  action,
  roles: WORKSPACE_ACTIONS[action],
});

/** Says who may call, in a sentence. */
export const describePermission = (permission: Permission): string => {
  const needs = toNeeds(permission);
  if (needs === 'public') return 'Needs no token.';
  if (needs === 'signed-in') return 'Open to everyone who is signed in; shows what is theirs.';
  return `Needs ${needs.map(describeNeed).join('; or ')}.`;
};

const describeNeed = ({ in: where, action, roles }: Need): string => {
  if (where === 'platform') return `\`${action}\`: platform administrators`;
  if (where === 'organization') return `\`${action}\` in the organization: ${roles.join(', ')}`;
  const who = roles.includes('member') ? 'every member' : `members of ${ADMINS_GROUP}`;
  return `\`${action}\` in the workspace: ${who}`;
};

/** Whether someone who has business there can still lack the right; everyone else is told 404. */
export const canBeForbidden = (permission: Permission): boolean => {
  if (typeof permission === 'string') return false;
  if ('platform' in permission || 'organizationOfWorkspace' in permission) return true;
  if ('organization' in permission) {
    return ORGANIZATION_ACTIONS[permission.organization].length < ORGANIZATION_ROLES.length;
  }
  return !(WORKSPACE_ACTIONS[permission.workspace] as readonly string[]).includes('member');
};
