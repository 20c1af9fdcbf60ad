/** What of a workspace decides its cluster's content. Ids are UUIDs. */
import type { LimitRangeItem, ProjectNetworkPolicy, ResourceQuotaHard } from './plan.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { PresetRole } from './presets.ts';

/** A project, which is a namespace, and the one it is below. */
export type Project = {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | null;
  /** Overrides single resources of the plan's. */
  readonly quota: ResourceQuotaHard | null;
};

/** A role that a workspace's admins made in one of its projects. */
export type ProjectRole = {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly rules: readonly PolicyRule[];
};

/** A role given to a group: a preset in the workspace or a project, or a project role. */
export type Assignment = {
  readonly groupName: string;
  readonly projectId: string | null;
  readonly projectRoleId: string | null;
  readonly presetRole: PresetRole | null;
};

/** A workspace at one moment; assignments that have expired are not in it. */
export type WorkspaceState = {
  readonly workspaceId: string;
  /** Whose workspace it is. */
  readonly organizationId: string;
  readonly plan: {
    readonly projectQuota: ResourceQuotaHard;
    readonly limitRange: readonly LimitRangeItem[];
    readonly networkPolicy: ProjectNetworkPolicy;
  };
  readonly projects: readonly Project[];
  readonly projectRoles: readonly ProjectRole[];
  readonly assignments: readonly Assignment[];
};
