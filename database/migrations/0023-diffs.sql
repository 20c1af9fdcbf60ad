-- What rbac-sync would change in a workspace's cluster: asked for by its admins, answered by rbac-sync.

-- A diff raises no generation, and nothing that is seen of one ends its task: comparisons with NULL say so
-- wherever tasks are moved on by generation.
ALTER TABLE task ALTER generation DROP NOT NULL;
ALTER TABLE task ADD CONSTRAINT task__generation__check
  CHECK ((generation IS NULL) = (kind = 'workspace.diff'));
CREATE INDEX task__workspace_id__idx ON task (workspace_id)
  WHERE finished_at IS NULL AND generation IS NULL;

CREATE TABLE workspace_diff (
  id uuid CONSTRAINT workspace_diff__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL
    CONSTRAINT workspace_diff__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  task_id uuid NOT NULL CONSTRAINT workspace_diff__task_id__unique UNIQUE
    CONSTRAINT workspace_diff__task_id__fkey REFERENCES task ON DELETE CASCADE,
  -- Unset until it is answered; what is shown of it is bounded, and so is its text.
  result jsonb CONSTRAINT workspace_diff__result__check CHECK (length(result::text) <= 4194304),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL DEFAULT now() + interval '1 day'
);
CREATE INDEX workspace_diff__workspace_id__idx ON workspace_diff (workspace_id);
CREATE INDEX workspace_diff__expires_at__idx ON workspace_diff (expires_at);

ALTER TABLE workspace_diff ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspace_diff FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON workspace_diff TO CURRENT_USER USING (true);

-- The API asks and reads; the answer is rbac-sync's alone to write.
GRANT SELECT ON workspace_diff TO hexabase_tenancy_api;
GRANT INSERT (id, workspace_id, task_id) ON workspace_diff TO hexabase_tenancy_api;
CREATE POLICY tenant ON workspace_diff TO hexabase_tenancy_api
  USING (EXISTS (
    SELECT FROM workspace_member m
    WHERE m.workspace_id = workspace_diff.workspace_id AND m.person_id = current_person_id()
    OFFSET 0
  ));

GRANT SELECT, DELETE, UPDATE (result) ON workspace_diff TO hexabase_rbac_sync;
CREATE POLICY rbac_sync ON workspace_diff TO hexabase_rbac_sync USING (true);
