-- The life of organizations, workspaces and what is given in them: suspension, deletion with a grace
-- period, things that expire, trees of projects, service accounts, and repeated requests.

-- Set: a deletion was asked for; it is carried out then, and can be taken back until then.
ALTER TABLE organization ADD delete_after timestamptz;
ALTER TABLE workspace
  ADD suspended_at timestamptz,
  ADD delete_after timestamptz;
CREATE INDEX organization__delete_after__idx ON organization (delete_after) WHERE delete_after IS NOT NULL;
CREATE INDEX workspace__delete_after__idx ON workspace (delete_after) WHERE delete_after IS NOT NULL;

ALTER TABLE organization_user
  ADD version integer NOT NULL DEFAULT 1,
  ADD updated_at timestamptz NOT NULL DEFAULT now();

ALTER TABLE plan
  -- ResourceQuota `hard` of the whole vCluster on its host; where dedicated nodes are found, and what
  -- they have to tolerate.
  ADD workspace_quota jsonb NOT NULL DEFAULT '{}',
  ADD node_selector jsonb NOT NULL DEFAULT '{}',
  ADD tolerations jsonb NOT NULL DEFAULT '[]',
  -- {"amount": minor units, "currency": ISO 4217, "interval": "month" | "year"}; unset: free.
  ADD price jsonb,
  ADD version integer NOT NULL DEFAULT 1;

-- What has expired counts for nothing from that moment; rbac-sync takes the rows away.
ALTER TABLE group_member ADD expires_at timestamptz;
CREATE INDEX group_member__expires_at__idx ON group_member (expires_at) WHERE expires_at IS NOT NULL;
ALTER TABLE role_assignment
  ADD expires_at timestamptz,
  ADD created_by uuid CONSTRAINT role_assignment__created_by__fkey REFERENCES person,
  ADD reason text;
CREATE INDEX role_assignment__expires_at__idx ON role_assignment (expires_at) WHERE expires_at IS NOT NULL;

-- What is given in a project holds in every project below it.
ALTER TABLE project
  ADD parent_id uuid CONSTRAINT project__parent_id__check CHECK (parent_id <> id),
  ADD CONSTRAINT project__workspace_id_parent_id__fkey FOREIGN KEY (workspace_id, parent_id)
    REFERENCES project (workspace_id, id);
CREATE INDEX project__parent_id__idx ON project (parent_id) WHERE parent_id IS NOT NULL;

-- Machines of a workspace: members of groups as people are.
CREATE TABLE service_account (
  id uuid CONSTRAINT service_account__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL
    CONSTRAINT service_account__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  name text NOT NULL
    CONSTRAINT service_account__name__check CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  display_name text NOT NULL,
  created_by uuid CONSTRAINT service_account__created_by__fkey REFERENCES person,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT service_account__workspace_id_id__unique UNIQUE (workspace_id, id),
  CONSTRAINT service_account__workspace_id_name__unique UNIQUE (workspace_id, name)
);
CREATE TABLE group_service_account (
  workspace_id uuid NOT NULL,
  service_account_id uuid NOT NULL,
  group_id uuid NOT NULL,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT group_service_account__pkey PRIMARY KEY (workspace_id, service_account_id, group_id),
  CONSTRAINT group_service_account__service_account_id__fkey
    FOREIGN KEY (workspace_id, service_account_id) REFERENCES service_account (workspace_id, id) ON DELETE CASCADE,
  CONSTRAINT group_service_account__group_id__fkey
    FOREIGN KEY (workspace_id, group_id) REFERENCES workspace_group (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX group_service_account__group_id__idx ON group_service_account (group_id);
CREATE INDEX group_service_account__expires_at__idx
  ON group_service_account (expires_at) WHERE expires_at IS NOT NULL;

-- The answer to a request that its caller may send again (Idempotency-Key), for 24 hours.
CREATE TABLE idempotency_key (
  person_id uuid NOT NULL
    CONSTRAINT idempotency_key__person_id__fkey REFERENCES person ON DELETE CASCADE,
  -- Method, path and query: the same key means something else elsewhere.
  target text NOT NULL,
  key text NOT NULL,
  -- SHA-256 of the body.
  fingerprint bytea NOT NULL,
  status integer NOT NULL,
  headers jsonb NOT NULL,
  body jsonb,
  -- A refusal: its type, detail and errors.
  problem jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_key__person_id_target_key__pkey PRIMARY KEY (person_id, target, key)
);
CREATE INDEX idempotency_key__created_at__idx ON idempotency_key (person_id, created_at);

-- An organization of mine that has no user yet: only inside the transaction that makes it.
CREATE FUNCTION my_new_organizations() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id FROM organization o
  WHERE o.personal_for IS NULL
    AND o.created_at = now()
    AND NOT EXISTS (SELECT FROM organization_user u WHERE u.organization_id = o.id)
$$;

-- Who the caller is to identity providers: a platform administrator is named that way in the settings.
CREATE FUNCTION my_identities() RETURNS TABLE (connector text, subject text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.connector, i.subject FROM identity i WHERE i.person_id = current_person_id()
$$;

-- The identities of a workspace's members, for its own members: an export names people by them.
CREATE FUNCTION member_identities(in_workspace uuid)
  RETURNS TABLE (person_id uuid, connector text, subject text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.person_id, i.connector, i.subject
  FROM workspace_member m
  JOIN identity i ON i.person_id = m.person_id
  WHERE m.workspace_id = in_workspace AND in_workspace IN (SELECT my_workspaces())
$$;

REVOKE ALL ON FUNCTION my_new_organizations, my_identities, member_identities FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_new_organizations, my_identities, member_identities TO hexabase_tenancy_api;

DO $$
DECLARE
  guarded text;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['plan', 'service_account', 'group_service_account', 'idempotency_key'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true)', guarded);
  END LOOP;
END
$$;

-- Plans are everyone's to read; to write, the API says in each transaction that a platform
-- administrator asks, so that a forgotten check writes none.
CREATE POLICY everyone ON plan FOR SELECT
  TO hexabase_issuer, hexabase_tenancy_api, hexabase_rbac_sync USING (true);
CREATE POLICY platform_insert ON plan FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (current_setting('hexabase.platform_admin', true) = 'true');
CREATE POLICY platform_update ON plan FOR UPDATE TO hexabase_tenancy_api
  USING (current_setting('hexabase.platform_admin', true) = 'true');
GRANT INSERT, UPDATE ON plan TO hexabase_tenancy_api;

-- tenancy-api
GRANT INSERT ON organization, organization_user, service_account, group_service_account, idempotency_key
  TO hexabase_tenancy_api;
GRANT SELECT ON service_account, group_service_account, idempotency_key TO hexabase_tenancy_api;
GRANT UPDATE (name, slug, delete_after, version, updated_at) ON organization TO hexabase_tenancy_api;
GRANT UPDATE (role, version, updated_at) ON organization_user TO hexabase_tenancy_api;
GRANT UPDATE (name, plan_id, suspended_at, delete_after, version) ON workspace TO hexabase_tenancy_api;
GRANT UPDATE (expires_at) ON group_member, group_service_account, role_assignment TO hexabase_tenancy_api;
GRANT UPDATE (display_name, version, updated_at) ON service_account TO hexabase_tenancy_api;
GRANT DELETE ON organization_user, service_account, group_service_account, idempotency_key
  TO hexabase_tenancy_api;
CREATE POLICY tenant_insert ON organization FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (personal_for IS NULL AND delete_after IS NULL);
CREATE POLICY tenant_update ON organization FOR UPDATE TO hexabase_tenancy_api
  USING (id IN (SELECT my_organizations()));
CREATE POLICY tenant_insert ON organization_user FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (
    organization_id IN (SELECT my_organizations())
    OR (person_id = current_person_id() AND organization_id IN (SELECT my_new_organizations()))
  );
CREATE POLICY tenant_update ON organization_user FOR UPDATE TO hexabase_tenancy_api
  USING (organization_id IN (SELECT my_organizations()));
CREATE POLICY tenant_delete ON organization_user FOR DELETE TO hexabase_tenancy_api
  USING (organization_id IN (SELECT my_organizations()));
CREATE POLICY tenant ON service_account TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON group_service_account TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON idempotency_key TO hexabase_tenancy_api
  USING (person_id = current_person_id());
-- The tasks of a workspace's life are started by users of its organization, members or not.
DROP POLICY tenant ON task;
CREATE POLICY tenant ON task TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()) OR created_by = current_person_id())
  WITH CHECK (
    workspace_id IN (SELECT my_workspaces())
    OR (
      created_by = current_person_id()
      AND workspace_id IN (
        SELECT w.id FROM workspace w WHERE w.organization_id IN (SELECT my_organizations())
      )
    )
  );

-- issuer: service accounts' groups are read as people's are.
GRANT SELECT ON service_account, group_service_account TO hexabase_issuer;
CREATE POLICY issuer ON service_account FOR SELECT TO hexabase_issuer USING (true);
CREATE POLICY issuer ON group_service_account FOR SELECT TO hexabase_issuer USING (true);

-- rbac-sync: what has expired or whose grace period is over is taken away, on the record.
GRANT SELECT ON organization, group_member, group_service_account TO hexabase_rbac_sync;
GRANT DELETE ON organization, workspace, role_assignment, group_member, group_service_account
  TO hexabase_rbac_sync;
GRANT UPDATE (generation) ON workspace TO hexabase_rbac_sync;
GRANT INSERT ON audit_event, outbox TO hexabase_rbac_sync;
CREATE POLICY rbac_sync ON organization TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON group_member TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON group_service_account TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync_delete ON role_assignment FOR DELETE TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON audit_event FOR INSERT TO hexabase_rbac_sync WITH CHECK (true);
CREATE POLICY rbac_sync ON outbox FOR INSERT TO hexabase_rbac_sync WITH CHECK (true);
