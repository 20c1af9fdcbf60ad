import * as z from 'zod';
import { ClusterDiff, ObjectDiff } from '#domain/cluster-diff.ts';
import { formatId } from '#domain/identifiers.ts';
import { Id, Timestamp } from '../schema.ts';
import { Task, TaskState } from '../tasks/schema.ts';

/** A diff as it is stored, with the state of its task. */
export const DiffRow = z.strictObject({
  id: z.uuid(),
  workspace_id: z.uuid(),
  task_id: z.uuid(),
  state: TaskState,
  error: z.string().nullable(),
  result: ClusterDiff.nullable(),
  created_at: z.date(),
  finished_at: z.date().nullable(),
  expires_at: z.date(),
});
export type DiffRow = z.infer<typeof DiffRow>;

const ShownDiff = ClusterDiff.extend({
  objects: z.array(ObjectDiff.meta({ id: 'ObjectDiff' })),
}).meta({ id: 'ClusterDiff' });

/** What would change in a workspace's cluster, once that is known. */
export const Diff = z
  .strictObject({
    id: Id('diff'),
    workspace: Id('workspace'),
    task: Id('task'),
    state: TaskState,
    error: z.string().nullable().describe('Why it could not be found out.'),
    result: ShownDiff.nullable().describe('Set when the state is succeeded.'),
    created_at: Timestamp,
    finished_at: Timestamp.nullable(),
    expires_at: Timestamp.describe('Until when it can be read.'),
  })
  .meta({ id: 'Diff' });
export type Diff = z.infer<typeof Diff>;

/** A diff that was asked for. */
export const DiffCreated = z.strictObject({ diff: Diff, task: Task }).meta({ id: 'DiffCreated' });

/** The public form of a diff. */
export const toDiff = (row: DiffRow): Diff => ({
  id: formatId('diff', row.id),
  workspace: formatId('workspace', row.workspace_id),
  task: formatId('task', row.task_id),
  state: row.state,
  error: row.error,
  result: row.result,
  created_at: row.created_at.toISOString(),
  finished_at: row.finished_at?.toISOString() ?? null,
  expires_at: row.expires_at.toISOString(),
});
