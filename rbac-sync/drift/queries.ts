import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { storableJson, toStorableText } from '#database/storable.ts';
import { DRIFT_ACTIONS, DRIFT_KINDS, DriftActor } from '#domain/drift.ts';
import { createId } from '#domain/identifiers.ts';
import { type Decision, type KnownDrift, PUT_BACK } from './decide.ts';

const Nothing = z.strictObject({});

const KnownRow = z.strictObject({
  id: z.uuid(),
  kind: z.string(),
  namespace: z.string().nullable(),
  name: z.string(),
  action: z.enum(DRIFT_ACTIONS),
  desired_hash: z.string().nullable(),
  resolved_at: z.date().nullable(),
  retry_at: z.date().nullable(),
  unexplained: z.boolean(),
  actor: DriftActor.nullable(),
});

/** A row of the ledger as a look needs it. */
export type LedgerRow = KnownDrift & {
  /** Whether its author isn't known, and may have been told by now. */
  readonly unexplained: boolean;
  readonly actor: DriftActor | null;
};

/** The rows of a workspace that are open, and those closed within the last so many seconds. */
export const listKnownDrift = async (
  db: CommonQueryMethods,
  workspaceId: string,
  seconds: number,
): Promise<LedgerRow[]> => {
  const rows = await db.any(sql.prepared('list_known_drift', KnownRow)`
    SELECT d.id, d.kind, d.namespace, d.name, d.action, d.desired_hash, d.resolved_at, d.retry_at, d.actor,
      d.actor IS NULL AND d.detected_at > now() - interval '10 minutes' AND EXISTS (
        SELECT FROM cluster_write c
        WHERE c.workspace_id = d.workspace_id AND c.resource = ${sql.jsonb(DRIFT_KINDS)}::jsonb ->> d.kind
          AND coalesce(c.name, d.name) = d.name
      ) AS unexplained
    FROM drift d
    WHERE d.workspace_id = ${workspaceId}
      AND (d.resolved_at IS NULL OR d.resolved_at > now() - make_interval(secs => ${seconds}))
    ORDER BY d.id
  `);
  return rows.map((row) => ({
    id: row.id,
    key: `${row.kind}/${row.namespace ?? ''}/${row.name}`,
    action: row.action,
    desiredHash: row.desired_hash,
    resolvedAt: row.resolved_at,
    retryAt: row.retry_at,
    unexplained: row.unexplained,
    actor: row.actor,
  }));
};

const GroupRow = z.strictObject({ name: z.string() });

/** The names of a workspace's groups. */
export const listGroupNames = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<readonly string[]> =>
  db.anyFirst(sql.prepared('list_group_names', GroupRow)`
    SELECT name FROM workspace_group WHERE workspace_id = ${workspaceId}
  `);

/**
 * Writes what was found and decided: to the open row of the object, or to a new one.
 *
 * `lookedAt` is when it was compared, before anything was put back: whatever is written to the object from
 * then on is about the next row.
 */
export const saveDrift = async (
  db: CommonQueryMethods,
  { workspaceId, lookedAt }: { readonly workspaceId: string; readonly lookedAt: Date },
  decision: Decision,
): Promise<void> => {
  const { finding, action, reason, retryAt } = decision;
  const { kind, name, change, managers, changedAt, desiredHash } = finding;
  const resolved = action === 'repaired';
  await db.query(sql.type(Nothing)`
    INSERT INTO drift (
      id, workspace_id, kind, namespace, name, change, action, reason, managers, differences, opened,
      desired_hash, changed_at, detected_at, resolved_at, retry_at
    ) VALUES (
      ${createId()}, ${workspaceId}, ${kind}, ${finding.namespace ?? null}, ${name}, ${change}, ${action},
      ${toStorableText(reason, 2000)}, ${sql.array(
        managers.map((manager) => toStorableText(manager)),
        'text',
      )},
      ${storableJson(finding.differences)}, ${storableJson(finding.opened)}, ${desiredHash ?? null},
      ${changedAt ? sql.timestamp(changedAt) : null}, ${sql.timestamp(lookedAt)}, CASE WHEN ${resolved} THEN now() END,
      ${retryAt ? sql.timestamp(retryAt) : null}
    )
    ON CONFLICT (workspace_id, kind, coalesce(namespace, ''), name) WHERE resolved_at IS NULL
    DO UPDATE SET
      change = excluded.change, action = excluded.action, reason = excluded.reason,
      managers = CASE WHEN excluded.managers = '{}' THEN drift.managers ELSE excluded.managers END,
      differences = excluded.differences, opened = excluded.opened,
      desired_hash = excluded.desired_hash, changed_at = coalesce(excluded.changed_at, drift.changed_at),
      last_seen_at = now(), resolved_at = excluded.resolved_at, retry_at = excluded.retry_at
  `);
};

/** Closes rows whose object is as it should be again, or gone; what was to be put back, was. */
export const resolveDrift = async (
  db: CommonQueryMethods,
  ids: readonly string[],
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE drift
    SET resolved_at = now(), action = CASE action WHEN 'pending' THEN 'repaired' ELSE action END,
      reason = CASE action WHEN 'pending' THEN ${PUT_BACK} ELSE reason END
    WHERE id = ANY (${sql.array(ids, 'uuid')})
  `);
};

/**
 * Events come a second or so after their write. Before they must have come, an older write of somebody else
 * would look like the one, and nobody is named on a guess.
 */
export const EXPLAIN_AFTER_MS = 3_000;

/**
 * Names the authors of drift that the cluster has told us of since: of the writes that fit the change, the
 * last before it was seen; where clocks differ, one of a few seconds after. One from before the object was last found changed explains nothing any more.
 *
 * @returns how many of them are known now
 */
export const explainDrift = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<number> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    UPDATE drift d
    SET actor = found.actor
    FROM (
      SELECT DISTINCT ON (e.id) e.id, c.actor
      FROM drift e
      JOIN cluster_write c ON c.workspace_id = e.workspace_id
        AND c.resource = ${sql.jsonb(DRIFT_KINDS)}::jsonb ->> e.kind
        AND (c.name = e.name OR c.name IS NULL)
        AND coalesce(c.namespace, '') = CASE e.kind WHEN 'Namespace' THEN coalesce(c.namespace, '') ELSE coalesce(e.namespace, '') END
        AND (e.change = 'deleted') = (c.verb IN ('delete', 'deletecollection'))
        AND c.written_at <= e.detected_at + interval '5 seconds'
        AND c.written_at >= coalesce(e.changed_at - interval '2 seconds', e.detected_at - interval '1 day')
      WHERE e.workspace_id = ${workspaceId} AND e.actor IS NULL
        AND e.detected_at > now() - interval '10 minutes'
        AND e.detected_at <= now() - make_interval(secs => ${EXPLAIN_AFTER_MS / 1000})
        AND NOT EXISTS (
          SELECT FROM drift p
          WHERE p.workspace_id = e.workspace_id AND p.kind = e.kind AND p.name = e.name
            AND p.namespace IS NOT DISTINCT FROM e.namespace
            AND p.id < e.id AND p.detected_at >= c.written_at
        )
      -- A write without a name made an object that the server named, or removed many.
      ORDER BY e.id, c.written_at > e.detected_at, c.name IS NULL,
        abs(extract(epoch FROM c.written_at - e.detected_at))
    ) AS found
    WHERE d.id = found.id
  `);
  return rowCount;
};

/** How many closed rows of a workspace are kept, and for how many days. */
const MOST_ROWS = 1000;
const KEPT_DAYS = 90;

/** Forgets the oldest closed rows of a workspace beyond a thousand. */
export const trimDrift = async (db: CommonQueryMethods, workspaceId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM drift
    WHERE workspace_id = ${workspaceId} AND resolved_at IS NOT NULL AND id < (
      SELECT id FROM drift WHERE workspace_id = ${workspaceId} ORDER BY id DESC LIMIT 1 OFFSET ${MOST_ROWS}
    )
  `);
};

/** Forgets what was closed three months ago. */
export const deleteOldDrift = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM drift WHERE resolved_at < now() - make_interval(days => ${KEPT_DAYS})
  `);
};
