import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import { DRIFT_MODES, type DriftMode } from '#domain/drift.ts';
import type { PageRequest } from '../cursor.ts';
import { type DriftQuery, DriftRow } from './schema.ts';

const columns = sql.fragment`
  id, workspace_id, kind, namespace, name, change, action, reason, managers, actor, differences, opened,
  changed_at, detected_at, last_seen_at, resolved_at, retry_at`;

/** Which rows; undefined for any. */
export type DriftFilter = Pick<DriftQuery, 'state' | 'kind' | 'action'> & {
  readonly workspaceId: string;
};

/** The drift of a workspace, the newest first. */
export const listDrift = (
  db: CommonQueryMethods,
  { workspaceId, state, kind, action }: DriftFilter,
  { after, take }: PageRequest,
): Promise<readonly DriftRow[]> =>
  db.any(sql.type(DriftRow)`
    SELECT ${columns}
    FROM drift
    WHERE workspace_id = ${workspaceId}
      AND ${ifGiven(state ?? null, (value) => (value === 'open' ? IS_OPEN : sql.fragment`NOT (${IS_OPEN})`))}
      AND ${ifGiven(kind ?? null, (value) => sql.fragment`kind = ${value}::text`)}
      AND ${ifGiven(action ?? null, (value) => sql.fragment`action = ${value}::text`)}
      AND ${ifGiven(after, (last) => sql.fragment`id < ${last}::uuid`)}
    ORDER BY id DESC
    LIMIT ${take}
  `);

const IS_OPEN = sql.fragment`resolved_at IS NULL`;

/** One row of a workspace's ledger. */
export const findDrift = (
  db: CommonQueryMethods,
  workspaceId: string,
  driftId: string,
): Promise<DriftRow | null> =>
  db.maybeOne(sql.prepared('find_drift', DriftRow)`
    SELECT ${columns} FROM drift WHERE workspace_id = ${workspaceId} AND id = ${driftId}
  `);

/** Has a contested object put back at the next look; nothing when it isn't contested any more. */
export const retryContested = (
  db: CommonQueryMethods,
  workspaceId: string,
  driftId: string,
): Promise<DriftRow | null> =>
  db.maybeOne(sql.type(DriftRow)`
    UPDATE drift SET retry_at = now()
    WHERE workspace_id = ${workspaceId} AND id = ${driftId} AND action = 'contested' AND ${IS_OPEN}
    RETURNING ${columns}
  `);

const ModeRow = z.strictObject({ drift_mode: z.enum(DRIFT_MODES) });

/** How a workspace wants its drift treated. */
export const loadDriftMode = (db: CommonQueryMethods, workspaceId: string): Promise<DriftMode> =>
  db.oneFirst(sql.prepared('load_drift_mode', ModeRow)`
    SELECT drift_mode FROM workspace WHERE id = ${workspaceId}
  `);

/** Decides how a workspace wants its drift treated. */
export const saveDriftMode = async (
  db: CommonQueryMethods,
  workspaceId: string,
  mode: DriftMode,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    UPDATE workspace SET drift_mode = ${mode} WHERE id = ${workspaceId}
  `);
};
