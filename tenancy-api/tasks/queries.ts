import { type CommonQueryMethods, sql } from 'slonik';
import { TaskRow } from './schema.ts';

/** A task of a workspace that a person is a member of, or one that they started as its organization's user. */
export const findTask = (
  db: CommonQueryMethods,
  taskId: string,
  personId: string,
): Promise<TaskRow | null> =>
  db.maybeOne(sql.prepared('find_task', TaskRow)`
    SELECT t.id, t.workspace_id, t.kind, t.state, t.progress, t.step, t.error, t.created_at, t.finished_at
    FROM task t
    WHERE t.id = ${taskId}
      AND (
        EXISTS (
          SELECT FROM workspace_member m
          WHERE m.workspace_id = t.workspace_id AND m.person_id = ${personId}
        )
        OR (
          t.created_by = ${personId}
          AND EXISTS (
            SELECT FROM workspace w
            JOIN organization_user u ON u.organization_id = w.organization_id
            WHERE w.id = t.workspace_id AND u.person_id = ${personId}
          )
        )
      )
  `);
