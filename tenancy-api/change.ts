/**
 * What every change writes beside its own rows, in the same transaction: an audit event, an outbox
 * row and, when it concerns a cluster, the workspace's next generation with a task that ends when
 * rbac-sync has verified that generation there.
 */
import { type SerializableValue, sql } from 'slonik';
import { raiseGeneration, recordAudit } from '#database/changes.ts';
import { createId } from '#domain/identifiers.ts';
import type { RequestContext } from './context.ts';
import { TaskRow } from './tasks/schema.ts';

/** A change, for the records. Ids are UUIDs. */
export type Change = {
  /** What happened to what, e.g. `group.create`. */
  readonly action: string;
  readonly organizationId: string;
  readonly workspaceId: string;
  readonly targetId: string;
  /** The project (UUID) that the change stays within, with all below it. */
  readonly projectId?: string | null;
  /** The one namespace that it stays within: that of a project alone, or of one that it deletes. */
  readonly namespace?: string;
  readonly before?: SerializableValue;
  readonly after?: SerializableValue;
};

/** Records a change that no cluster has to hear of. */
export const recordChange = async (context: RequestContext, change: Change): Promise<void> => {
  const { tx, personId, requestId, ip } = context;
  await recordAudit(tx, { ...change, actorId: personId, requestId, ip });
};

/** A change of an organization itself or of its users, for the records. Ids are UUIDs. */
export type OrganizationChange = Pick<
  Change,
  'action' | 'organizationId' | 'targetId' | 'before' | 'after'
>;

/** Records a change that concerns no workspace. */
export const recordOrganizationChange = async (
  { tx, personId, requestId, ip }: RequestContext,
  change: OrganizationChange,
): Promise<void> => {
  await recordAudit(tx, { ...change, workspaceId: null, actorId: personId, requestId, ip });
};

/** Records a change of what is the platform's: no organization's. */
export const recordPlatformChange = async (
  { tx, personId, requestId, ip }: RequestContext,
  change: Pick<Change, 'action' | 'targetId' | 'before' | 'after'>,
): Promise<void> => {
  const place = { organizationId: null, workspaceId: null };
  await recordAudit(tx, { ...change, ...place, actorId: personId, requestId, ip });
};

/**
 * Records a change that must reach the workspace's cluster: raises its generation, makes the task,
 * and has the doorbell rung after the commit.
 */
export const recordClusterChange = async (
  context: RequestContext,
  change: Change,
): Promise<TaskRow> => {
  await recordChange(context, change);
  const generation = await raiseGeneration(context.tx, change.workspaceId);
  return startTask(context, { ...change, generation });
};

/** Makes a task for a generation that the workspace already has: that of its creation. */
export const startTask = async (
  context: RequestContext,
  task: Pick<Change, 'action' | 'workspaceId' | 'projectId' | 'namespace'> & {
    readonly generation: number;
  },
): Promise<TaskRow> => {
  context.changedWorkspaces.add(task.workspaceId);
  return context.tx.one(sql.type(TaskRow)`
    INSERT INTO task (id, workspace_id, kind, generation, namespace, namespaces, created_by)
    VALUES (
      ${createId()}, ${task.workspaceId}, ${task.action}, ${task.generation},
      coalesce(
        ${task.namespace ?? null}, (SELECT name FROM project WHERE id = ${task.projectId ?? null}::uuid)
      ),
      (
        WITH RECURSIVE tree (id, name) AS (
          SELECT id, name FROM project WHERE id = ${task.projectId ?? null}::uuid
          UNION
          SELECT p.id, p.name FROM tree t JOIN project p ON p.parent_id = t.id
        )
        SELECT array_agg(name) FROM tree
      ),
      ${context.personId}
    )
    RETURNING id, workspace_id, kind, state, progress, step, error, created_at, finished_at
  `);
};
