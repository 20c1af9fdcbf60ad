-- A change in a project concerns every project below it: its task waits for all their namespaces.
-- Unset: for the one in `namespace`.
ALTER TABLE task ADD namespaces text[];

-- What a role assignment says of itself; that of WSAdmins never ends.
ALTER TABLE role_assignment
  ADD version integer NOT NULL DEFAULT 1,
  ADD updated_at timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT role_assignment__reason__check CHECK (char_length(reason) <= 500),
  ADD CONSTRAINT role_assignment__expires_at__check CHECK (NOT preset OR expires_at IS NULL);
GRANT UPDATE (reason, version, updated_at) ON role_assignment TO hexabase_tenancy_api;

-- For lists, and for what is given in a project and holds below it.
CREATE INDEX role_assignment__workspace_id_id__idx ON role_assignment (workspace_id, id);
CREATE INDEX role_assignment__project_id_id__idx ON role_assignment (project_id, id);
CREATE INDEX role_assignment__project_role_id__idx
  ON role_assignment (project_role_id) WHERE project_role_id IS NOT NULL;
