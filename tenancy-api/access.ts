/**
 * What a caller is in an organization or a workspace, and whether that is enough. Asked once per
 * request, inside its transaction, before anything else is read; for a change the workspace is
 * locked first, so that nobody acts on a right that another request is just taking away.
 */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { listEffectiveGroups } from '#database/effective-groups.ts';
import {
  mayInOrganization,
  mayInWorkspace,
  ORGANIZATION_ROLES,
  type OrganizationAction,
  type OrganizationRole,
  type PlatformAction,
  toWorkspaceRole,
  type WorkspaceAction,
  type WorkspaceRole,
} from '#domain/permissions.ts';
import { ADMINS_GROUP } from '#domain/presets.ts';
import type { PlatformAdmins } from './platform-admins.ts';
import { notFound, PROBLEMS, Problem } from './problems.ts';
import type { Permission } from './route.ts';

/** The caller in an organization. */
export type OrganizationAccess = {
  readonly organizationId: string;
  readonly role: OrganizationRole;
};

/** The caller in a workspace. */
export type WorkspaceAccess = {
  readonly workspaceId: string;
  readonly organizationId: string;
  /** `undefined` for an organization user who is not a member. */
  readonly role: WorkspaceRole | undefined;
};

/** What {@link authorize} decides on. */
export type AuthorizationRequest = {
  readonly permission: Permission;
  /** The UUIDs in the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly personId: string;
  /**
   * Whether the request changes something: the workspace or the organization is locked until the
   * transaction ends.
   */
  readonly locks: boolean;
  readonly platformAdmins: PlatformAdmins;
};

/**
 * Finds out what the caller is where the path leads.
 *
 * @throws Problem not-found when the caller has no business there, forbidden (with what is missing)
 * when they have but may not do this, workspace-suspended for a change inside one that is
 */
export const authorize = async (
  db: CommonQueryMethods,
  request: AuthorizationRequest,
): Promise<OrganizationAccess | WorkspaceAccess | null> => {
  const { permission, params, personId, locks } = request;
  if (typeof permission === 'string') return null;
  if ('platform' in permission) return decideOnPlatform(db, request.platformAdmins, permission);
  if ('organization' in permission) {
    const organizationId = params['organization'] ?? '';
    if (locks) await lockOrganization(db, organizationId);
    const role = await findOrganizationRole(db, organizationId, personId);
    return decideInOrganization({ organizationId, role, action: permission.organization });
  }
  const workspaceId = params['workspace'] ?? '';
  if (locks) await lockWorkspace(db, workspaceId);
  const standing = await getStanding(db, workspaceId, personId);
  if ('organizationOfWorkspace' in permission) {
    return decideAsOrganization(standing, permission.organizationOfWorkspace);
  }
  const access = decideInWorkspace(standing, permission);
  if (locks && standing.suspended) {
    throw new Problem(
      PROBLEMS.workspaceSuspended,
      'Nothing in it can be changed until a user of its organization resumes or restores it.',
    );
  }
  return access;
};

const decideOnPlatform = async (
  db: CommonQueryMethods,
  platformAdmins: PlatformAdmins,
  { platform }: { readonly platform: PlatformAction },
): Promise<null> => {
  if (await platformAdmins.recognize(db)) return null;
  throw new Problem(
    PROBLEMS.forbidden,
    `This needs the right "${platform}", which platform administrators have; they are named in the settings of the API.`,
  );
};

const decideInOrganization = (request: {
  organizationId: string;
  role: OrganizationRole | null | undefined;
  action: OrganizationAction;
}): OrganizationAccess => {
  const { organizationId, role, action } = request;
  if (!role) throw notFound();
  if (!mayInOrganization(role, action)) {
    const able = ORGANIZATION_ROLES.filter((each) => mayInOrganization(each, action)).join(' or ');
    throw new Problem(
      PROBLEMS.forbidden,
      `This needs the right "${action}", which the organization role ${able} has; yours is ${role}.`,
    );
  }
  return { organizationId, role };
};

/** A mere member learns that the workspace is there, which they know, and whom to ask. */
const decideAsOrganization = (standing: Standing, action: OrganizationAction): WorkspaceAccess => {
  const { organizationId, organizationRole: role } = standing;
  if (role === undefined && standing.role !== undefined) {
    throw new Problem(
      PROBLEMS.forbidden,
      `This needs the right "${action}", which users of the workspace’s organization have; you are a member of the workspace alone.`,
    );
  }
  decideInOrganization({ organizationId, role, action });
  return standing;
};

const decideInWorkspace = (
  standing: Standing,
  permission: {
    readonly workspace: WorkspaceAction;
    readonly orOrganization?: OrganizationAction;
  },
): WorkspaceAccess => {
  const { workspace: action, orOrganization } = permission;
  const { role, organizationRole } = standing;
  if (mayInWorkspace(role, action)) return standing;
  if (orOrganization && mayInOrganization(organizationRole, orOrganization)) return standing;
  if (role === undefined && orOrganization && organizationRole) {
    const { organizationId } = standing;
    decideInOrganization({ organizationId, role: organizationRole, action: orOrganization });
  }
  if (role === undefined) throw notFound();
  throw new Problem(
    PROBLEMS.forbidden,
    `This needs the right "${action}", which members of the group ${ADMINS_GROUP} have; you are a member of the workspace without it.`,
  );
};

type Standing = WorkspaceAccess & {
  readonly organizationRole: OrganizationRole | undefined;
  readonly suspended: boolean;
};

const getStanding = async (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<Standing> => {
  const row = await findStanding(db, workspaceId, personId);
  if (!row) throw notFound();
  const groups = row.member ? await listEffectiveGroups(db, workspaceId, personId) : [];
  return {
    workspaceId,
    organizationId: row.organization_id,
    role: row.member ? toWorkspaceRole(groups.map((group) => group.name)) : undefined,
    organizationRole: row.organization_role ?? undefined,
    suspended: row.suspended,
  };
};

const LockedRow = z.strictObject({ id: z.uuid() });

// NO KEY, because who writes a row that refers to this one takes a share of its key, and would wait for us
// while we wait for them.
const lockOrganization = async (db: CommonQueryMethods, organizationId: string): Promise<void> => {
  await db.maybeOne(sql.prepared('lock_organization', LockedRow)`
    SELECT id
    FROM organization
    WHERE id = ${organizationId}
    FOR NO KEY UPDATE
  `);
};

const lockWorkspace = async (db: CommonQueryMethods, workspaceId: string): Promise<void> => {
  await db.maybeOne(sql.prepared('lock_workspace', LockedRow)`
    SELECT id
    FROM workspace
    WHERE id = ${workspaceId}
    FOR NO KEY UPDATE
  `);
};

const StandingRow = z.strictObject({
  organization_id: z.uuid(),
  suspended: z.boolean(),
  member: z.boolean(),
  organization_role: z.enum(ORGANIZATION_ROLES).nullable(),
});

const findStanding = (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<z.infer<typeof StandingRow> | null> =>
  db.maybeOne(sql.prepared('find_standing', StandingRow)`
    SELECT
      w.organization_id,
      w.suspended_at IS NOT NULL
        OR w.delete_after IS NOT NULL
        OR EXISTS (
          SELECT FROM workspace_organization(w.id) o WHERE o.delete_after IS NOT NULL
        ) AS suspended,
      EXISTS (
        SELECT FROM workspace_member m
        WHERE m.workspace_id = w.id AND m.person_id = ${personId}
      ) AS member,
      (
        SELECT u.role FROM organization_user u
        WHERE u.organization_id = w.organization_id AND u.person_id = ${personId}
      ) AS organization_role
    FROM workspace w
    WHERE w.id = ${workspaceId}
  `);

const OrganizationRoleRow = z.strictObject({ role: z.enum(ORGANIZATION_ROLES) });

const findOrganizationRole = (
  db: CommonQueryMethods,
  organizationId: string,
  personId: string,
): Promise<OrganizationRole | null> =>
  db.maybeOneFirst(sql.prepared('find_organization_role', OrganizationRoleRow)`
    SELECT role
    FROM organization_user
    WHERE organization_id = ${organizationId} AND person_id = ${personId}
  `);
