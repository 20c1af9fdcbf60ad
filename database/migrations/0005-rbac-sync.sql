-- Where a workspace's cluster is and how rbac-sync reaches it, and which replica looks after it.

CREATE TABLE workspace_cluster (
  workspace_id uuid CONSTRAINT workspace_cluster__workspace_id__pkey PRIMARY KEY
    CONSTRAINT workspace_cluster__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  provisioner text NOT NULL,
  server text NOT NULL,
  certificate_authority text NOT NULL,
  -- The sync identity's ServiceAccount token, sealed.
  sealed_token bytea,
  token_expires_at timestamptz,
  -- The version of presets and policies that the cluster has.
  bootstrap_version integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspace_lease (
  workspace_id uuid CONSTRAINT workspace_lease__workspace_id__pkey PRIMARY KEY
    CONSTRAINT workspace_lease__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  worker text NOT NULL,
  -- Grows with every change of holder: a write that carries an old one comes too late.
  fencing_token bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
