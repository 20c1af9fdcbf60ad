-- Plans are made by platform administrators, on a record that belongs to no organization; and what
-- already lives on a plan is known to them only as far as it could stop a change of the plan.

ALTER TABLE audit_event ALTER organization_id DROP NOT NULL;
ALTER TABLE outbox ALTER organization_id DROP NOT NULL;
CREATE POLICY platform ON audit_event FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (
    actor_id = current_person_id() AND organization_id IS NULL AND workspace_id IS NULL
    AND current_setting('hexabase.platform_admin', true) = 'true'
  );
CREATE POLICY platform ON outbox FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (
    organization_id IS NULL AND workspace_id IS NULL
    AND current_setting('hexabase.platform_admin', true) = 'true'
  );

-- Each workspace of a plan: how many projects it has, and their quota overrides.
CREATE FUNCTION plan_usage(of_plan uuid)
  RETURNS TABLE (workspace_id uuid, projects integer, quotas jsonb)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT w.id, count(p.id)::int, coalesce(jsonb_agg(p.quota) FILTER (WHERE p.quota IS NOT NULL), '[]')
  FROM workspace w
  LEFT JOIN project p ON p.workspace_id = w.id
  WHERE w.plan_id = of_plan AND current_setting('hexabase.platform_admin', true) = 'true'
  GROUP BY w.id
$$;
REVOKE ALL ON FUNCTION plan_usage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION plan_usage TO hexabase_tenancy_api;
