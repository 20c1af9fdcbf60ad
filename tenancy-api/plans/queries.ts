import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import { ResourceQuotaHard } from '#domain/plan.ts';
import type { PageRequest } from '../cursor.ts';
import { type PlanFields, PlanRow } from './schema.ts';

const Nothing = z.strictObject({});

const planColumns = sql.fragment`
  p.id, p.name, p.display_name, p.project_quota, p.limit_range, p.network_policy, p.workspace_quota,
  p.max_projects, p.isolation, p.node_selector, p.tolerations, p.price, p.version, p.retired_at`;

/** The plans, by id; those that are no longer offered only when asked for. */
export const listPlans = (
  db: CommonQueryMethods,
  retired: boolean,
  { after, take }: PageRequest,
): Promise<readonly PlanRow[]> =>
  db.any(sql.type(PlanRow)`
    SELECT ${planColumns}
    FROM plan p
    WHERE (${retired} OR p.retired_at IS NULL)
      AND ${ifGiven(after, (last) => sql.fragment`p.id > ${last}::uuid`)}
    ORDER BY p.id
    LIMIT ${take}
  `);

/** A plan by its id (UUID), offered or not. */
export const findPlan = (db: CommonQueryMethods, planId: string): Promise<PlanRow | null> =>
  db.maybeOne(sql.type(PlanRow)`
    SELECT ${planColumns}
    FROM plan p
    WHERE p.id = ${planId}
  `);

/** A plan that is about to be changed; nobody else changes it until the transaction ends. */
export const findPlanToChange = (db: CommonQueryMethods, planId: string): Promise<PlanRow | null> =>
  db.maybeOne(sql.type(PlanRow)`
    SELECT ${planColumns}
    FROM plan p
    WHERE p.id = ${planId}
    FOR UPDATE
  `);

/** A plan that a new workspace can have, by name or by id (UUID). */
export const findOfferedPlan = (
  db: CommonQueryMethods,
  { name, id }: { readonly name: string; readonly id: string | null },
): Promise<PlanRow | null> =>
  db.maybeOne(sql.type(PlanRow)`
    SELECT ${planColumns}
    FROM plan p
    WHERE p.retired_at IS NULL AND (p.name = ${name} OR p.id = ${id}::uuid)
  `);

/** A plan by its id (UUID) or name, also one that is no longer offered; the id goes first. */
export const findNamedPlan = (
  db: CommonQueryMethods,
  { name, id }: { readonly name: string; readonly id: string | null },
): Promise<PlanRow | null> =>
  db.maybeOne(sql.type(PlanRow)`
    SELECT ${planColumns}
    FROM plan p
    WHERE p.id = ${id}::uuid OR p.name = ${name}
    ORDER BY p.id = ${id}::uuid DESC NULLS LAST
    LIMIT 1
  `);

/** The plan of a workspace. */
export const getPlanOfWorkspace = (db: CommonQueryMethods, workspaceId: string): Promise<PlanRow> =>
  db.one(sql.type(PlanRow)`
    SELECT ${planColumns}
    FROM workspace w
    JOIN plan p ON p.id = w.plan_id
    WHERE w.id = ${workspaceId}
  `);

/**
 * Keeps a plan's limits as they are until the transaction ends, for who makes something fit them; many
 * may at once. Row locks won't do: row-level security shows a plan for change to platform admins alone.
 */
export const holdPlan = async (db: CommonQueryMethods, planId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    SELECT FROM pg_advisory_xact_lock_shared(hashtextextended('plan:' || ${planId}, 0))
  `);
};

/** Lets those who hold a plan end first, and nobody else begin. */
export const lockPlan = async (db: CommonQueryMethods, planId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    SELECT FROM pg_advisory_xact_lock(hashtextextended('plan:' || ${planId}, 0))
  `);
};

/** A new plan; its constraint on names speaks when the name is taken. */
export const insertPlan = async (
  db: CommonQueryMethods,
  { id, name }: { readonly id: string; readonly name: string },
  plan: PlanFields,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO plan (
      id, name, display_name, project_quota, limit_range, network_policy, workspace_quota, max_projects,
      isolation, node_selector, tolerations, price
    ) VALUES (
      ${id}, ${name}, ${plan.display_name}, ${toJson(plan.project_quota)}, ${toJson(plan.limit_range)},
      ${plan.network_policy}, ${toJson(plan.workspace_quota)}, ${plan.max_projects}, ${plan.isolation},
      ${toJson(plan.node_selector)}, ${toJson(plan.tolerations)}, ${toJson(plan.price)}
    )
  `);
};

/** Changes a plan; a trigger raises the generation of each workspace that has it. */
export const updatePlan = async (
  db: CommonQueryMethods,
  planId: string,
  plan: PlanFields,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE plan
    SET display_name = ${plan.display_name}, project_quota = ${toJson(plan.project_quota)},
      limit_range = ${toJson(plan.limit_range)}, network_policy = ${plan.network_policy},
      workspace_quota = ${toJson(plan.workspace_quota)},
      max_projects = ${plan.max_projects}, isolation = ${plan.isolation},
      node_selector = ${toJson(plan.node_selector)}, tolerations = ${toJson(plan.tolerations)},
      price = ${toJson(plan.price)}, version = version + 1, updated_at = now()
    WHERE id = ${planId}
  `);
};

/** Offers a plan no longer. */
export const retirePlan = async (db: CommonQueryMethods, planId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE plan SET retired_at = now(), version = version + 1, updated_at = now() WHERE id = ${planId}
  `);
};

const UsageRow = z.strictObject({
  workspace_id: z.uuid(),
  projects: z.int(),
  quotas: z.array(ResourceQuotaHard),
});

/** What lives on a plan; nothing, unless the transaction is a platform administrator's. */
export const listPlanUsage = (
  db: CommonQueryMethods,
  planId: string,
): Promise<readonly z.infer<typeof UsageRow>[]> =>
  db.any(sql.type(UsageRow)`
    SELECT workspace_id, projects, quotas FROM plan_usage(${planId})
  `);

/** JSON null is no price: SQL's NULL. */
const toJson = (value: unknown) =>
  value === null ? sql.fragment`NULL` : sql.fragment`${JSON.stringify(value)}::jsonb`;
