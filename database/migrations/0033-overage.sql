-- Someone in too many groups for a token gets those that decide something in the workspace's cluster: which
-- ones its role assignments name is known, and which ones others' bindings name is kept here.

-- Workspace groups, existing or not, that bindings in a cluster name and that no assignment put there. Written by
-- rbac-sync from what its watches show.
CREATE TABLE foreign_bound_group (
  workspace_id uuid NOT NULL
    CONSTRAINT foreign_bound_group__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  -- Without the prefix that it has in the cluster.
  name text NOT NULL,
  CONSTRAINT foreign_bound_group__workspace_id_name__pkey PRIMARY KEY (workspace_id, name)
);

ALTER TABLE foreign_bound_group ENABLE ROW LEVEL SECURITY;
ALTER TABLE foreign_bound_group FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON foreign_bound_group TO CURRENT_USER USING (true);
CREATE POLICY rbac_sync ON foreign_bound_group TO hexabase_rbac_sync USING (true);
CREATE POLICY issuer ON foreign_bound_group FOR SELECT TO hexabase_issuer USING (true);
GRANT SELECT, INSERT, DELETE ON foreign_bound_group TO hexabase_rbac_sync;
GRANT SELECT ON foreign_bound_group TO hexabase_issuer;

-- issuer: which groups hold an assignment, and nothing of what it gives.
GRANT SELECT (workspace_id, group_id) ON role_assignment TO hexabase_issuer;
CREATE POLICY issuer ON role_assignment FOR SELECT TO hexabase_issuer USING (true);
