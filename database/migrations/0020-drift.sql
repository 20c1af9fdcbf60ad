-- The drift ledger: what was changed in a workspace's cluster past the platform, by whom, what it opened, and
-- what was done about it; and how a workspace wants its drift treated.

ALTER TABLE workspace
  ADD drift_mode text NOT NULL DEFAULT 'enforce'
    CONSTRAINT workspace__drift_mode__check CHECK (drift_mode IN ('enforce', 'observe', 'adopt'));
GRANT UPDATE (drift_mode) ON workspace TO hexabase_tenancy_api;

-- Writes that a cluster's API server told us of, for the short time in which they explain drift.
CREATE TABLE cluster_write (
  workspace_id uuid NOT NULL
    CONSTRAINT cluster_write__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  -- The API server's own, so that a batch that comes twice is kept once.
  audit_id uuid NOT NULL,
  verb text NOT NULL,
  resource text NOT NULL,
  namespace text,
  name text,
  written_at timestamptz NOT NULL,
  actor jsonb NOT NULL CONSTRAINT cluster_write__actor__check CHECK (length(actor::text) <= 16384),
  received_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT cluster_write__workspace_id_audit_id__pkey PRIMARY KEY (workspace_id, audit_id)
);
CREATE INDEX cluster_write__received_at__idx ON cluster_write (received_at);
CREATE INDEX cluster_write__object__idx ON cluster_write (workspace_id, resource, written_at);

-- One row for each time that one object was found other than it should be.
CREATE TABLE drift (
  id uuid CONSTRAINT drift__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL CONSTRAINT drift__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  kind text NOT NULL,
  namespace text,
  name text NOT NULL,
  change text NOT NULL CONSTRAINT drift__change__check CHECK (change IN ('created', 'modified', 'deleted')),
  action text NOT NULL
    CONSTRAINT drift__action__check
      CHECK (action IN ('pending', 'repaired', 'reported', 'observed', 'contested', 'adopted')),
  -- Why that was done and nothing else, in a sentence.
  reason text NOT NULL,
  managers text[] NOT NULL,
  actor jsonb,
  differences jsonb NOT NULL
    CONSTRAINT drift__differences__check CHECK (length(differences::text) <= 65536),
  opened jsonb NOT NULL CONSTRAINT drift__opened__check CHECK (length(opened::text) <= 65536),
  -- What the object should be, by a hash: left alone only as long as that stays the same.
  desired_hash text,
  -- When the API server says that it was changed, to the second; unset for what is gone.
  changed_at timestamptz,
  detected_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz,
  -- When a contested object is forced again.
  retry_at timestamptz
);
CREATE UNIQUE INDEX drift__object__unique ON drift (workspace_id, kind, coalesce(namespace, ''), name)
  WHERE resolved_at IS NULL;
CREATE INDEX drift__workspace_id_id__idx ON drift (workspace_id, id);
CREATE INDEX drift__resolved_at__idx ON drift (resolved_at);
CREATE INDEX drift__unexplained__idx ON drift (workspace_id, detected_at) WHERE actor IS NULL;

ALTER TABLE cluster_write ENABLE ROW LEVEL SECURITY;
ALTER TABLE cluster_write FORCE ROW LEVEL SECURITY;
ALTER TABLE drift ENABLE ROW LEVEL SECURITY;
ALTER TABLE drift FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON cluster_write TO CURRENT_USER USING (true);
CREATE POLICY owner ON drift TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, DELETE ON cluster_write TO hexabase_rbac_sync;
GRANT SELECT, INSERT, UPDATE, DELETE ON drift TO hexabase_rbac_sync;
CREATE POLICY rbac_sync ON cluster_write TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON drift TO hexabase_rbac_sync USING (true);

-- The API shows it, and asks for a contested object to be forced again.
GRANT SELECT, UPDATE (retry_at) ON drift TO hexabase_tenancy_api;
CREATE POLICY tenant ON drift TO hexabase_tenancy_api
  USING (EXISTS (
    SELECT FROM workspace_member m
    WHERE m.workspace_id = drift.workspace_id AND m.person_id = current_person_id()
    OFFSET 0
  ));

-- What was changed in the cluster is taken over where the model can say it.
GRANT INSERT (id, workspace_id, group_id, project_id, project_role_id, preset_role) ON role_assignment
  TO hexabase_rbac_sync;
CREATE POLICY rbac_sync_insert ON role_assignment FOR INSERT TO hexabase_rbac_sync WITH CHECK (true);
GRANT UPDATE (quota, version, updated_at) ON project TO hexabase_rbac_sync;
CREATE POLICY rbac_sync_update ON project FOR UPDATE TO hexabase_rbac_sync USING (true);
