import { type CommonQueryMethods, sql } from 'slonik';
import type { PageRequest } from '../cursor.ts';
import { PlanRow } from './schema.ts';

/** The plans that a new workspace can have, by id. */
export const listPlans = (
  db: CommonQueryMethods,
  { after, take }: PageRequest,
): Promise<readonly PlanRow[]> =>
  db.any(sql.type(PlanRow)`
    SELECT id, name, display_name, project_quota, limit_range, max_projects, isolation
    FROM plan
    WHERE retired_at IS NULL AND (${after}::uuid IS NULL OR id > ${after}::uuid)
    ORDER BY id
    LIMIT ${take}
  `);

/** A plan that a new workspace can have, by name or by id (UUID). */
export const findOfferedPlan = (
  db: CommonQueryMethods,
  { name, id }: { readonly name: string; readonly id: string | null },
): Promise<PlanRow | null> =>
  db.maybeOne(sql.type(PlanRow)`
    SELECT id, name, display_name, project_quota, limit_range, max_projects, isolation
    FROM plan
    WHERE retired_at IS NULL AND (name = ${name} OR id = ${id}::uuid)
  `);

/** The plan of a workspace. */
export const getPlanOfWorkspace = (db: CommonQueryMethods, workspaceId: string): Promise<PlanRow> =>
  db.one(sql.type(PlanRow)`
    SELECT p.id, p.name, p.display_name, p.project_quota, p.limit_range, p.max_projects, p.isolation
    FROM workspace w
    JOIN plan p ON p.id = w.plan_id
    WHERE w.id = ${workspaceId}
  `);
