import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { Id, Timestamp } from '../schema.ts';

/** How far a task is. */
export const TaskState = z.enum(['pending', 'running', 'succeeded', 'failed', 'cancelled']);

/** A task as it is stored. */
export const TaskRow = z.strictObject({
  id: z.uuid(),
  workspace_id: z.uuid(),
  kind: z.string(),
  state: TaskState,
  progress: z.int(),
  step: z.string().nullable(),
  error: z.string().nullable(),
  created_at: z.date(),
  finished_at: z.date().nullable(),
});
export type TaskRow = z.infer<typeof TaskRow>;

/** Work that goes on after the answer: finished when the cluster was seen to obey the change. */
export const Task = z
  .strictObject({
    id: Id('task'),
    kind: z.string().describe('What is being done, e.g. "role-assignment.create".'),
    workspace: Id('workspace'),
    state: TaskState,
    progress: z.int().min(0).max(100),
    step: z.string().nullable().describe('What is being done just now.'),
    error: z.string().nullable().describe('The last failure; a task that goes on tries again.'),
    created_at: Timestamp,
    finished_at: Timestamp.nullable(),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof Task>;

/** The public form of a task. */
export const toTask = (row: TaskRow): Task => ({
  id: formatId('task', row.id),
  kind: row.kind,
  workspace: formatId('workspace', row.workspace_id),
  state: row.state,
  progress: row.progress,
  step: row.step,
  error: row.error,
  created_at: row.created_at.toISOString(),
  finished_at: row.finished_at?.toISOString() ?? null,
});
