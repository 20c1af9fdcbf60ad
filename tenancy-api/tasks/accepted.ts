import { formatId } from '#domain/identifiers.ts';
import type { TaskRow } from './schema.ts';

const RETRY_AFTER_SECONDS = '1';

/**
 * The answer 202 to a change that goes on: its body, and where to follow the task.
 *
 * @param headers more of them, such as the entity tag of what the body shows
 */
export const acceptedTask = <Body>(
  task: TaskRow,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): { status: 202; body: Body; headers: Record<string, string> } => ({
  status: 202,
  body,
  headers: {
    Location: `/v1/tasks/${formatId('task', task.id)}`,
    'Retry-After': RETRY_AFTER_SECONDS,
    ...headers,
  },
});
