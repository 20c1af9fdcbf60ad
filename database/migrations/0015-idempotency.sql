-- Stored answers leave after a day even when their caller never comes back; and a workspace without members
-- is its creator's only inside the transaction that makes it, as an organization without users is.

CREATE INDEX idempotency_key__created_at_alone__idx ON idempotency_key (created_at);
GRANT DELETE, SELECT (created_at) ON idempotency_key TO hexabase_rbac_sync;
CREATE POLICY rbac_sync ON idempotency_key TO hexabase_rbac_sync USING (true);

CREATE OR REPLACE FUNCTION my_new_workspaces() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id FROM workspace w
  WHERE w.organization_id IN (SELECT my_organizations())
    AND w.created_at = now()
    AND NOT EXISTS (SELECT FROM workspace_member m WHERE m.workspace_id = w.id)
$$;
