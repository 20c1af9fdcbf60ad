-- What the two sides of a workspace may know of each other across row-level security: its members of
-- its organization, and the organization's users of what a change or a deletion would touch. Nothing
-- that is written inside the workspace is among it.

CREATE FUNCTION workspace_organization(in_workspace uuid) RETURNS TABLE (slug text, delete_after timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT o.slug, o.delete_after
  FROM workspace w
  JOIN organization o ON o.id = w.organization_id
  WHERE w.id = in_workspace
    AND (w.id IN (SELECT my_workspaces()) OR w.organization_id IN (SELECT my_organizations()))
$$;

CREATE FUNCTION workspace_projects(in_workspace uuid) RETURNS TABLE (id uuid, name text, quota jsonb)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT p.id, p.name, p.quota
  FROM workspace w
  JOIN project p ON p.workspace_id = w.id
  WHERE w.id = in_workspace AND w.organization_id IN (SELECT my_organizations())
$$;

CREATE FUNCTION workspace_size(in_workspace uuid)
  RETURNS TABLE (members integer, groups integer, service_accounts integer, provisioned boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT
    (SELECT count(*)::int FROM workspace_member m WHERE m.workspace_id = w.id),
    (SELECT count(*)::int FROM workspace_group g WHERE g.workspace_id = w.id),
    (SELECT count(*)::int FROM service_account s WHERE s.workspace_id = w.id),
    EXISTS (SELECT FROM workspace_cluster c WHERE c.workspace_id = w.id)
  FROM workspace w
  WHERE w.id = in_workspace AND w.organization_id IN (SELECT my_organizations())
$$;

REVOKE ALL ON FUNCTION workspace_organization, workspace_projects, workspace_size FROM PUBLIC;
GRANT EXECUTE ON FUNCTION workspace_organization, workspace_projects, workspace_size
  TO hexabase_tenancy_api;

-- rbac-sync locks an organization before it carries its deletion out; PostgreSQL lets only those lock
-- a row who may update something of it.
GRANT UPDATE (updated_at) ON organization TO hexabase_rbac_sync;

-- What a plan gives is in the cluster of every workspace that has it: each has something new to see in
-- force. The one who changes a plan administers the platform and sees none of these workspaces.
CREATE FUNCTION raise_generations_of_plan() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE workspace SET generation = generation + 1 WHERE plan_id = NEW.id;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION raise_generations_of_plan FROM PUBLIC;
CREATE TRIGGER plan__limits__trigger AFTER UPDATE ON plan
  FOR EACH ROW
  WHEN ((OLD.project_quota, OLD.limit_range) IS DISTINCT FROM (NEW.project_quota, NEW.limit_range))
  EXECUTE FUNCTION raise_generations_of_plan();
