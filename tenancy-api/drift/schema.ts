import * as z from 'zod';
import {
  DRIFT_ACTIONS,
  DRIFT_CHANGES,
  DRIFT_KINDS,
  DRIFT_MODES,
  DriftActor,
  DriftDifference,
  type DriftKind,
  DriftOpening,
} from '#domain/drift.ts';
import { formatId } from '#domain/identifiers.ts';
import { PageQuery } from '../cursor.ts';
import { Id, Timestamp } from '../schema.ts';

const KINDS = Object.keys(DRIFT_KINDS) as [DriftKind, ...DriftKind[]];
const action = z.enum(DRIFT_ACTIONS);
const change = z.enum(DRIFT_CHANGES);

/** A row of the drift ledger. */
export const DriftRow = z.strictObject({
  id: z.uuid(),
  workspace_id: z.uuid(),
  kind: z.string(),
  namespace: z.string().nullable(),
  name: z.string(),
  change,
  action,
  reason: z.string(),
  managers: z.array(z.string()),
  actor: DriftActor.nullable(),
  differences: z.array(DriftDifference),
  opened: z.array(DriftOpening),
  changed_at: z.date().nullable(),
  detected_at: z.date(),
  last_seen_at: z.date(),
  resolved_at: z.date().nullable(),
  retry_at: z.date().nullable(),
});
export type DriftRow = z.infer<typeof DriftRow>;

/** One object that was found other than it should be, or that isn't managed here, for one stretch of time. */
export const Drift = z
  .strictObject({
    id: Id('drift'),
    workspace: Id('workspace'),
    kind: z.string().describe('Of the object, as Kubernetes says it.'),
    namespace: z.string().nullable().describe('null: in the whole cluster.'),
    name: z.string(),
    change: change.describe('What happened to it; created: it is not managed here.'),
    action: action.describe(
      'What was done about it. pending: it is yet to be put back. reported: it is not ours to change. observed: left as it is, because the workspace only observes. contested: left for now, because something changes it again each time. adopted: taken over into the workspace.',
    ),
    reason: z.string().describe('Why that was done and nothing else.'),
    managers: z.array(z.string()).describe('The tools that changed it (field managers).'),
    actor: DriftActor.meta({ id: 'DriftActor' })
      .nullable()
      .describe('Who changed it, as the audit log of the API server says; null where it does not.'),
    differences: z.array(DriftDifference.meta({ id: 'DriftDifference' })),
    opened: z
      .array(DriftOpening.meta({ id: 'DriftOpening' }))
      .describe('What somebody could do because of it.'),
    changed_at: Timestamp.nullable().describe('As the object itself says; null for what is gone.'),
    detected_at: Timestamp,
    last_seen_at: Timestamp,
    resolved_at: Timestamp.nullable().describe('null: it is still so.'),
    retry_at: Timestamp.nullable().describe('When a contested object is put back again.'),
  })
  .meta({ id: 'Drift' });
export type Drift = z.infer<typeof Drift>;

/** Which drift a list shows. */
export const DriftQuery = PageQuery.extend({
  state: z.enum(['open', 'resolved']).optional().describe('open: what is still so.'),
  kind: z.enum(KINDS).optional().describe('Only of objects of this kind.'),
  action: action.optional().describe('Only where this was done.'),
});
export type DriftQuery = z.infer<typeof DriftQuery>;

const mode = z
  .enum(DRIFT_MODES)
  .describe(
    'enforce: what was changed past the platform is put back. observe: it is only shown. adopt: what the workspace can say itself is taken over, such as a RoleBinding that somebody made for a group; the rest is put back.',
  );

/** How a workspace wants its drift treated. */
export const DriftMode = z
  .strictObject({ mode })
  .meta({ id: 'DriftMode', examples: [{ mode: 'observe' }] });
export type DriftMode = z.infer<typeof DriftMode>;

/** The public form of a row. */
export const toDrift = ({ id, workspace_id, ...row }: DriftRow): Drift => ({
  ...row,
  id: formatId('drift', id),
  workspace: formatId('workspace', workspace_id),
  changed_at: row.changed_at?.toISOString() ?? null,
  detected_at: row.detected_at.toISOString(),
  last_seen_at: row.last_seen_at.toISOString(),
  resolved_at: row.resolved_at?.toISOString() ?? null,
  retry_at: row.retry_at?.toISOString() ?? null,
});
