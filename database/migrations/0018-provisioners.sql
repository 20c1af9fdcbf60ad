-- A workspace says what its control plane is made by, where that isn't the platform's default; and rbac-sync
-- records what it chose before it makes anything, so that whoever takes a workspace away knows where to look.

ALTER TABLE workspace
  ADD provisioner text CONSTRAINT workspace__provisioner__check CHECK (provisioner ~ '^[a-z][a-z-]{0,30}$');

-- Both are known once the control plane answers, which comes after the choice.
ALTER TABLE workspace_cluster ALTER server DROP NOT NULL, ALTER certificate_authority DROP NOT NULL;

CREATE OR REPLACE FUNCTION workspace_size(in_workspace uuid)
  RETURNS TABLE (members integer, groups integer, service_accounts integer, provisioned boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT
    (SELECT count(*)::int FROM workspace_member m WHERE m.workspace_id = w.id),
    (SELECT count(*)::int FROM workspace_group g WHERE g.workspace_id = w.id),
    (SELECT count(*)::int FROM service_account s WHERE s.workspace_id = w.id),
    EXISTS (SELECT FROM workspace_cluster c WHERE c.workspace_id = w.id AND c.server IS NOT NULL)
  FROM workspace w
  WHERE w.id = in_workspace AND w.organization_id IN (SELECT my_organizations())
$$;
