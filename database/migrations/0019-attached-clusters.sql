-- Clusters that exist already and are attached to a workspace: the kubeconfig as the API sealed it, to be opened
-- by rbac-sync alone, and which cluster it led to at the first contact.

CREATE TABLE attached_cluster (
  workspace_id uuid CONSTRAINT attached_cluster__workspace_id__pkey PRIMARY KEY
    CONSTRAINT attached_cluster__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  -- A compact JWE (RFC 7516) to rbac-sync's key, bound to the workspace.
  sealed_kubeconfig text NOT NULL
    CONSTRAINT attached_cluster__sealed_kubeconfig__check CHECK (length(sealed_kubeconfig) <= 131072),
  -- Grows with each replacement.
  version integer NOT NULL DEFAULT 1,
  -- The uid of the namespace kube-system, and the version that led there last.
  cluster_uid text,
  verified_version integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE attached_cluster ENABLE ROW LEVEL SECURITY;
ALTER TABLE attached_cluster FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON attached_cluster TO CURRENT_USER USING (true);

-- The API writes the sealed kubeconfig and never reads it.
GRANT SELECT (workspace_id, version, updated_at), INSERT (workspace_id, sealed_kubeconfig),
  UPDATE (sealed_kubeconfig, version, updated_at) ON attached_cluster TO hexabase_tenancy_api;
CREATE POLICY tenant ON attached_cluster TO hexabase_tenancy_api
  USING (EXISTS (
    SELECT FROM workspace w
    JOIN organization_user u ON u.organization_id = w.organization_id
    WHERE w.id = attached_cluster.workspace_id AND u.person_id = current_person_id()
    OFFSET 0
  ));

GRANT SELECT, UPDATE (cluster_uid, verified_version, updated_at) ON attached_cluster TO hexabase_rbac_sync;
CREATE POLICY rbac_sync ON attached_cluster TO hexabase_rbac_sync USING (true);
