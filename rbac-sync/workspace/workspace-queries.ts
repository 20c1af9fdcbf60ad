/** Reads a workspace with all that decides its cluster, and finds those to look at. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { isCurrent } from '#database/condition.ts';
import { DRIFT_MODES, type DriftMode } from '#domain/drift.ts';
import { HostPlan, LimitRangeItem, ProjectNetworkPolicy, ResourceQuotaHard } from '#domain/plan.ts';
import { PolicyRule } from '#domain/policy-rule.ts';
import { PRESET_ROLES } from '#domain/presets.ts';
import type { WorkspaceState } from '#domain/workspace-state.ts';
import { Condition, SUSPENDED } from './conditions.ts';

const Cluster = z.strictObject({
  provisioner: z.string(),
  /** Like its authority, unknown until the control plane answers. */
  server: z.string().nullable(),
  certificate_authority: z.string().nullable(),
  /** base64 */
  sealed_token: z.string().nullable(),
  token_expires_at: z.coerce.date().nullable(),
  bootstrap_version: z.int(),
  revoked_at: z.coerce.date().nullable(),
});

const WorkspaceRow = z.strictObject({
  life: z.enum(['active', 'suspended', 'deleting', 'over']),
  delete_after: z.date().nullable(),
  expired: z.boolean(),
  next_expiry_in_ms: z.number().nullable(),
  organization_id: z.uuid(),
  generation: z.int(),
  observed_generation: z.int(),
  conditions: z.array(Condition),
  project_quota: ResourceQuotaHard,
  limit_range: z.array(LimitRangeItem),
  network_policy: ProjectNetworkPolicy,
  host_plan: HostPlan,
  provisioner: z.string().nullable(),
  drift_mode: z.enum(DRIFT_MODES),
  projects: z.array(
    z.strictObject({
      id: z.uuid(),
      name: z.string(),
      parentId: z.uuid().nullable(),
      quota: ResourceQuotaHard.nullable(),
    }),
  ),
  project_roles: z.array(
    z.strictObject({
      id: z.uuid(),
      projectId: z.uuid(),
      name: z.string(),
      rules: z.array(PolicyRule),
    }),
  ),
  assignments: z.array(
    z.strictObject({
      groupName: z.string(),
      projectId: z.uuid().nullable(),
      projectRoleId: z.uuid().nullable(),
      presetRole: z.enum(PRESET_ROLES).nullable(),
    }),
  ),
  deleted_namespaces: z.array(z.string()),
  cluster: Cluster.nullable(),
});

/** A workspace as a reconcile reads it. */
export type Workspace = {
  readonly id: string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  /** Whether it should run, be stopped (for now, or until it goes), or go. */
  readonly life: z.infer<typeof WorkspaceRow>['life'];
  /** When it goes, with its organization or alone. */
  readonly deleteAfter: Date | null;
  /** Whether something of it has expired that is not yet on record. */
  readonly expired: boolean;
  /** When the next assignment ends. */
  readonly nextExpiryInMs: number | null;
  readonly state: WorkspaceState;
  /** Namespaces whose projects were deleted, and that are not known to be gone. */
  readonly deletedNamespaces: ReadonlySet<string>;
  readonly hostPlan: HostPlan;
  /** The provisioner that its row asks for; `null` for the default. */
  readonly provisioner: string | null;
  /** What is done about what others change in its cluster. */
  readonly driftMode: DriftMode;
  readonly cluster: z.infer<typeof Cluster> | null;
  /** When a signing key was revoked that its cluster may still trust. */
  readonly revokedAt: Date | null;
};

/**
 * All that decides a workspace's cluster, in one statement, so that it is one moment's truth: the
 * generation is exactly the one of the rows beside it. What has expired is not among it.
 */
export const loadWorkspace = async (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<Workspace | undefined> => {
  const row = await db.maybeOne(sql.prepared('load_workspace', WorkspaceRow)`
    SELECT
      CASE
        WHEN least(w.delete_after, o.delete_after) <= now() THEN 'over'
        WHEN w.delete_after IS NOT NULL OR o.delete_after IS NOT NULL THEN 'deleting'
        WHEN w.suspended_at IS NOT NULL THEN 'suspended'
        ELSE 'active'
      END AS life,
      least(w.delete_after, o.delete_after) AS delete_after,
      EXISTS (
        SELECT FROM role_assignment a WHERE a.workspace_id = w.id AND a.expires_at <= now()
      ) AS expired,
      (
        SELECT ceil(1000 * extract(epoch FROM min(a.expires_at) - now()))::float8
        FROM role_assignment a WHERE a.workspace_id = w.id AND a.expires_at > now()
      ) AS next_expiry_in_ms,
      w.organization_id, w.generation, w.observed_generation, w.conditions, p.project_quota,
      p.limit_range, p.network_policy, w.provisioner, w.drift_mode,
      jsonb_build_object(
        'workspaceQuota', p.workspace_quota, 'isolation', p.isolation,
        'nodeSelector', p.node_selector, 'tolerations', p.tolerations) AS host_plan,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
          'id', j.id, 'name', j.name, 'parentId', j.parent_id, 'quota', j.quota) ORDER BY j.name), '[]')
        FROM project j WHERE j.workspace_id = w.id) AS projects,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
          'id', r.id, 'projectId', r.project_id, 'name', r.name, 'rules', r.rules) ORDER BY r.id), '[]')
        FROM project_role r WHERE r.workspace_id = w.id) AS project_roles,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
          'groupName', g.name, 'projectId', a.project_id, 'projectRoleId', a.project_role_id,
          'presetRole', a.preset_role) ORDER BY a.id), '[]')
        FROM role_assignment a JOIN workspace_group g ON g.id = a.group_id
        WHERE a.workspace_id = w.id AND ${isCurrent(sql.fragment`a`)}) AS assignments,
      (SELECT coalesce(jsonb_agg(DISTINCT t.namespace), '[]')
        FROM task t
        WHERE t.workspace_id = w.id AND t.kind = 'project.delete' AND t.namespace IS NOT NULL
          AND (t.finished_at IS NULL OR t.state <> 'succeeded')) AS deleted_namespaces,
      (SELECT jsonb_build_object(
          'provisioner', c.provisioner, 'server', c.server, 'certificate_authority', c.certificate_authority,
          'sealed_token', encode(c.sealed_token, 'base64'),
          'token_expires_at', c.token_expires_at, 'bootstrap_version', c.bootstrap_version,
          'revoked_at', (
            SELECT max(k.state_since) FROM signing_key k
            WHERE k.state = 'revoked'
              AND k.state_since > coalesce(c.keys_forgotten_at, '-infinity'::timestamptz)
          ))
        FROM workspace_cluster c WHERE c.workspace_id = w.id) AS cluster
    FROM workspace w
    JOIN plan p ON p.id = w.plan_id
    JOIN organization o ON o.id = w.organization_id
    WHERE w.id = ${workspaceId}
  `);
  return row ? toWorkspace(workspaceId, row) : undefined;
};

const toWorkspace = (id: string, row: z.infer<typeof WorkspaceRow>): Workspace => ({
  id,
  generation: row.generation,
  observedGeneration: row.observed_generation,
  conditions: row.conditions,
  life: row.life,
  deleteAfter: row.delete_after,
  expired: row.expired,
  nextExpiryInMs: row.next_expiry_in_ms,
  cluster: row.cluster,
  revokedAt: row.cluster?.revoked_at ?? null,
  hostPlan: row.host_plan,
  deletedNamespaces: new Set(row.deleted_namespaces),
  provisioner: row.provisioner,
  driftMode: row.drift_mode,
  state: {
    workspaceId: id,
    organizationId: row.organization_id,
    plan: {
      projectQuota: row.project_quota,
      limitRange: row.limit_range,
      networkPolicy: row.network_policy,
    },
    projects: row.projects,
    projectRoles: row.project_roles,
    assignments: row.assignments,
  },
});

const DueRow = z.strictObject({ id: z.uuid() });

/**
 * Workspaces that no replica looks after, and those of this one that have something new: a generation, a
 * question what would change,
 * a control plane that runs and should not or the other way round, or the end of their grace period.
 */
export const listDueWorkspaces = (
  db: CommonQueryMethods,
  worker: string,
  limit: number,
): Promise<readonly string[]> =>
  db.anyFirst(sql.prepared('list_due_workspaces', DueRow)`
    SELECT w.id
    FROM workspace w
    JOIN organization o ON o.id = w.organization_id
    LEFT JOIN workspace_lease l ON l.workspace_id = w.id AND l.expires_at > now()
    WHERE l.workspace_id IS NULL
      OR (
        l.worker = ${worker}
        AND (
          w.generation <> w.observed_generation
          OR w.id IN (SELECT workspace_id FROM task WHERE finished_at IS NULL AND generation IS NULL)
          OR least(w.delete_after, o.delete_after) <= now()
          OR (num_nonnulls(w.suspended_at, w.delete_after, o.delete_after) > 0)
            <> (w.conditions @> ${sql.jsonb([{ type: 'Provisioned', reason: SUSPENDED }])})
        )
      )
    ORDER BY w.updated_at
    LIMIT ${limit}
  `);
