/**
 * The life of a workspace: which tasks end when its control plane has been stopped, rather than when
 * something was seen in it.
 */

/** Kinds of task that are done when a workspace is as it shall be, running or not. */
export const LIFECYCLE_TASKS = [
  'workspace.suspend',
  'workspace.delete',
  'workspace.restore',
  'organization.delete',
  'organization.restore',
] as const;
