import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import type { ClusterWrite } from './audit-events.ts';

const Nothing = z.strictObject({});

/** How long a write is kept to explain drift that is yet to be seen. */
const KEPT_HOURS = 24;

/** How many writes of one workspace are kept in an hour: a tenant fills its own share only. */
const MOST_AN_HOUR = 20_000;

/** Keeps writes of a workspace that is there; one that came before is not kept twice. */
export const insertClusterWrites = async (
  db: CommonQueryMethods,
  workspaceId: string,
  writes: readonly ClusterWrite[],
): Promise<void> => {
  const rows = writes.map(({ eventId, at, ...write }) => ({
    audit_id: eventId,
    written_at: at.toISOString(),
    ...write,
  }));
  await db.query(sql.type(Nothing)`
    INSERT INTO cluster_write (
      workspace_id, audit_id, verb, resource, namespace, name, written_at, actor
    )
    SELECT w.id, r.audit_id, r.verb, r.resource, r.namespace, r.name,
      -- A clock that is ahead must not explain what is yet to come.
      least(r.written_at, now()), r.actor
    FROM jsonb_to_recordset(${sql.jsonb(rows)}) AS r (
      audit_id uuid, verb text, resource text, namespace text, name text, written_at timestamptz,
      actor jsonb
    )
    JOIN workspace w ON w.id = ${workspaceId}
    WHERE (
      SELECT count(*) FROM cluster_write c
      WHERE c.workspace_id = ${workspaceId} AND c.received_at > now() - interval '1 hour'
    ) < ${MOST_AN_HOUR}
    ON CONFLICT (workspace_id, audit_id) DO NOTHING
  `);
};

/** Whether there is drift of a workspace whose author isn't known yet. */
export const hasUnexplainedDrift = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT FROM drift
    WHERE workspace_id = ${workspaceId} AND actor IS NULL
      AND detected_at > now() - interval '10 minutes'
  `);

/** Forgets the writes that are too old to explain anything. */
export const deleteOldClusterWrites = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM cluster_write WHERE received_at < now() - make_interval(hours => ${KEPT_HOURS})
  `);
};
