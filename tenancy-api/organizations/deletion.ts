/**
 * The end of an organization: with a grace period, and with all its workspaces. Each change is a row
 * here; rbac-sync stops the clusters and takes everything away when the time has come. Runs under the
 * organization's lock.
 */
import { recordClusterChange, recordOrganizationChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { PROBLEMS, Problem } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import {
  cancelDeletion,
  countUsers,
  listOwnedWorkspaces,
  lockWorkspaces,
  restoreWorkspaces,
  type ScheduledRow,
  scheduleDeletion,
  scheduleWorkspaces,
} from './deletion-queries.ts';
import type { OwnedWorkspaceRow } from './deletion-schema.ts';
import type { OrganizationRow } from './schema.ts';
import { getOrganization } from './service.ts';

/** A deletion that is scheduled, and what it takes along. */
export type Deletion = {
  readonly organization: OrganizationRow;
  readonly deleteAfter: Date;
  readonly users: number;
  readonly workspaces: readonly OwnedWorkspaceRow[];
  /** By workspace (UUID); none for those that were going already. */
  readonly tasks: ReadonlyMap<string, TaskRow>;
  /** Whether it was scheduled before, and nothing has changed. */
  readonly already: boolean;
};

/**
 * Schedules the deletion of an organization and stops its workspaces; a second time changes nothing,
 * not even when.
 *
 * @param confirm must be the organization's slug or name, but in a dry run
 * @throws Problem private-organization, unprocessable without the confirmation
 */
export const deleteOrganization = async (
  context: RequestContext,
  organizationId: string,
  confirm: string | undefined,
): Promise<Deletion> => {
  const { tx, dryRun, deletionGraceDays } = context;
  const before = await getOrganization(context, organizationId);
  refusePrivate(before);
  if (!dryRun) assertConfirmed(before, confirm);
  const users = await countUsers(tx, organizationId);
  const workspaces = await listOwnedWorkspaces(tx, organizationId);
  const contents = { users, workspaces };
  if (before.delete_after !== null) {
    const { delete_after: deleteAfter } = before;
    return { organization: before, deleteAfter, ...contents, tasks: new Map(), already: true };
  }
  await lockWorkspaces(tx, organizationId);
  await scheduleDeletion(tx, organizationId, deletionGraceDays);
  const scheduled = await scheduleWorkspaces(tx, organizationId);
  const organization = await getOrganization(context, organizationId);
  const deleteAfter = organization.delete_after;
  if (deleteAfter === null) throw new Error('a deletion that was just scheduled is not');
  const tasks = await record(context, scheduled, { organizationId, deleteAfter, action: 'delete' });
  return { organization, deleteAfter, ...contents, tasks, already: false };
};

const refusePrivate = ({ personal_for }: OrganizationRow): void => {
  if (personal_for === null) return;
  throw new Problem(
    PROBLEMS.privateOrganization,
    'A private organization goes only with its person. Delete its workspaces one by one instead.',
  );
};

const assertConfirmed = ({ slug, name }: OrganizationRow, confirm: string | undefined): void => {
  if (confirm === slug || confirm === name) return;
  const detail = `This deletes the organization with all its workspaces and everything in them; namespaces of attached clusters stay. See what goes with ?dry_run=true, and confirm it with ?confirm=${slug}.`;
  throw new Problem(PROBLEMS.unprocessable, detail, {
    errors: [{ parameter: 'confirm', detail: 'Must be the slug or the name of the organization.' }],
  });
};

/** A deletion that is taken back. */
export type Restoration = {
  readonly organization: OrganizationRow;
  readonly tasks: readonly TaskRow[];
  /** Whether there was one to take back. */
  readonly restored: boolean;
};

/**
 * Takes a deletion back, and that of the workspaces that were scheduled together with it; what was
 * suspended or being deleted before stays so.
 *
 * @throws Problem organization-deleting when the grace period is over
 */
export const restoreOrganization = async (
  context: RequestContext,
  organizationId: string,
): Promise<Restoration> => {
  const { tx } = context;
  const before = await getOrganization(context, organizationId);
  if (before.delete_after === null) return { organization: before, tasks: [], restored: false };
  await lockWorkspaces(tx, organizationId);
  const scheduled = await restoreWorkspaces(tx, organizationId);
  if (!(await cancelDeletion(tx, organizationId))) {
    throw new Problem(
      PROBLEMS.organizationDeleting,
      'Its grace period is over, and it is being taken away.',
    );
  }
  const { delete_after: deleteAfter } = before;
  const tasks = await record(context, scheduled, {
    organizationId,
    deleteAfter,
    action: 'restore',
  });
  const organization = await getOrganization(context, organizationId);
  return { organization, tasks: [...tasks.values()], restored: true };
};

type LifeChange = {
  readonly organizationId: string;
  readonly action: 'delete' | 'restore';
  /** When it goes, or would have gone. */
  readonly deleteAfter: Date;
};

/** One record of the organization, and one with a task of each workspace that goes or stays with it. */
const record = async (
  context: RequestContext,
  workspaces: readonly ScheduledRow[],
  { organizationId, action, deleteAfter }: LifeChange,
): Promise<ReadonlyMap<string, TaskRow>> => {
  const describe = (here: object, going: object) => {
    const gone = { ...going, delete_after: deleteAfter.toISOString() };
    const stays = { ...here, delete_after: null };
    return action === 'delete' ? { before: stays, after: gone } : { before: gone, after: stays };
  };
  await recordOrganizationChange(context, {
    action: `organization.${action}`,
    organizationId,
    targetId: organizationId,
    ...describe({}, {}),
  });
  const tasks = new Map<string, TaskRow>();
  for (const { id, suspended } of workspaces) {
    const task = await recordClusterChange(context, {
      action: `workspace.${action}`,
      organizationId,
      workspaceId: id,
      targetId: id,
      ...describe({ state: suspended ? 'suspended' : 'active' }, { state: 'deleting' }),
    });
    tasks.set(id, task);
  }
  return tasks;
};
