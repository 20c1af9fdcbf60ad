-- The second wall. The tenancy API's role sees only what concerns the person whose request this is
-- (`SELECT set_config('hexabase.person_id', …, true)` in each transaction); with no person set it
-- sees nothing. The issuer and rbac-sync serve every tenant, and are bounded by their grants instead.

CREATE FUNCTION current_person_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT nullif(current_setting('hexabase.person_id', true), '')::uuid
$$;

-- These read as their owner, because a policy that asks a table guarded by itself never ends.
CREATE FUNCTION my_organizations() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT organization_id FROM organization_user WHERE person_id = current_person_id()
$$;

CREATE FUNCTION my_workspaces() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT workspace_id FROM workspace_member WHERE person_id = current_person_id()
$$;

CREATE FUNCTION people_near_me() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT person_id FROM workspace_member WHERE workspace_id IN (SELECT my_workspaces())
  UNION
  SELECT person_id FROM organization_user WHERE organization_id IN (SELECT my_organizations())
  UNION
  SELECT current_person_id()
$$;

-- A workspace of mine that has no member yet: only its creator sees it so, and only inside the
-- transaction that makes it.
CREATE FUNCTION my_new_workspaces() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id FROM workspace w
  WHERE w.organization_id IN (SELECT my_organizations())
    AND NOT EXISTS (SELECT FROM workspace_member m WHERE m.workspace_id = w.id)
$$;

-- Finds or makes the people behind identities, so that a member can be added before their first
-- sign-in without the API being able to read other people. `new_ids[n]` is for `subjects[n]`, used
-- when that identity is new; the subjects are distinct.
CREATE FUNCTION provision_people(connector_name text, subjects text[], new_ids uuid[])
  RETURNS TABLE (subject text, person_id uuid)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('provision_people:' || connector_name, 0));
  WITH missing AS (
    SELECT s.subject, s.id
    FROM unnest(subjects, new_ids) AS s (subject, id)
    WHERE NOT EXISTS (
      SELECT FROM identity i WHERE i.connector = connector_name AND i.subject = s.subject
    )
  ), added AS (
    INSERT INTO person (id, display_name) SELECT m.id, m.subject FROM missing m
  )
  INSERT INTO identity (connector, subject, person_id)
  SELECT connector_name, m.subject, m.id FROM missing m;
  SELECT i.subject, i.person_id FROM identity i
  WHERE i.connector = connector_name AND i.subject = ANY (subjects);
$$;

REVOKE ALL ON FUNCTION my_organizations, my_workspaces, people_near_me, my_new_workspaces, provision_people
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_organizations, my_workspaces, people_near_me, my_new_workspaces, provision_people
  TO hexabase_tenancy_api;

DO $$
DECLARE
  guarded text;
BEGIN
  FOR guarded IN
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN ('migration', 'plan')
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
    -- FORCE binds the owner too; migrations and the functions above need this.
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true)', guarded);
  END LOOP;
END
$$;

-- issuer: people and their sign-in; membership and groups to read.
GRANT SELECT ON organization, workspace, workspace_member, workspace_group, group_member, person, identity
  TO hexabase_issuer;
GRANT INSERT ON person, identity, organization, organization_user, audit_event, outbox TO hexabase_issuer;
GRANT UPDATE (display_name, email, email_verified, locale, first_signed_in_at, updated_at) ON person TO hexabase_issuer;
GRANT SELECT, INSERT, UPDATE, DELETE ON oidc_grant, oidc_artifact, signing_key TO hexabase_issuer;
CREATE POLICY issuer ON person TO hexabase_issuer USING (true);
CREATE POLICY issuer ON identity TO hexabase_issuer USING (true);
CREATE POLICY issuer ON organization TO hexabase_issuer USING (true);
CREATE POLICY issuer ON organization_user FOR INSERT TO hexabase_issuer WITH CHECK (true);
CREATE POLICY issuer ON workspace FOR SELECT TO hexabase_issuer USING (true);
CREATE POLICY issuer ON workspace_member FOR SELECT TO hexabase_issuer USING (true);
CREATE POLICY issuer ON workspace_group FOR SELECT TO hexabase_issuer USING (true);
CREATE POLICY issuer ON group_member FOR SELECT TO hexabase_issuer USING (true);
CREATE POLICY issuer ON audit_event FOR INSERT TO hexabase_issuer WITH CHECK (true);
CREATE POLICY issuer ON outbox FOR INSERT TO hexabase_issuer WITH CHECK (true);
CREATE POLICY issuer ON oidc_grant TO hexabase_issuer USING (true);
CREATE POLICY issuer ON oidc_artifact TO hexabase_issuer USING (true);
CREATE POLICY issuer ON signing_key TO hexabase_issuer USING (true);

-- tenancy-api: what is mine, and inside a workspace only as its member.
GRANT SELECT ON plan, person, organization, organization_user, workspace, workspace_member, workspace_group,
  group_member, project, project_role, role_assignment, task, workspace_cluster TO hexabase_tenancy_api;
REVOKE SELECT ON workspace_cluster FROM hexabase_tenancy_api;
GRANT SELECT (workspace_id, server, certificate_authority) ON workspace_cluster TO hexabase_tenancy_api;
GRANT INSERT ON workspace, workspace_member, workspace_group, group_member, project, project_role,
  role_assignment, task, outbox, audit_event TO hexabase_tenancy_api;
GRANT UPDATE ON workspace_group, project, project_role TO hexabase_tenancy_api;
GRANT UPDATE (generation, updated_at) ON workspace TO hexabase_tenancy_api;
GRANT DELETE ON workspace_member, workspace_group, group_member, project, project_role, role_assignment
  TO hexabase_tenancy_api;
CREATE POLICY tenant ON person FOR SELECT TO hexabase_tenancy_api
  USING (id IN (SELECT people_near_me()));
CREATE POLICY tenant ON organization FOR SELECT TO hexabase_tenancy_api
  USING (id IN (SELECT my_organizations()));
CREATE POLICY tenant ON organization_user FOR SELECT TO hexabase_tenancy_api
  USING (organization_id IN (SELECT my_organizations()));
CREATE POLICY tenant ON workspace TO hexabase_tenancy_api
  USING (id IN (SELECT my_workspaces()) OR organization_id IN (SELECT my_organizations()))
  WITH CHECK (id IN (SELECT my_workspaces()) OR organization_id IN (SELECT my_organizations()));
-- The creator's own membership is the one row that is written from outside the workspace.
CREATE POLICY tenant ON workspace_member TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()))
  WITH CHECK (
    workspace_id IN (SELECT my_workspaces())
    OR (person_id = current_person_id() AND workspace_id IN (SELECT my_new_workspaces()))
  );
CREATE POLICY tenant ON workspace_group TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON group_member TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON project TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON project_role TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON role_assignment TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
CREATE POLICY tenant ON workspace_cluster FOR SELECT TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()));
-- An organization user sees the tasks of a workspace's life that they started themselves.
CREATE POLICY tenant ON task TO hexabase_tenancy_api
  USING (workspace_id IN (SELECT my_workspaces()) OR created_by = current_person_id())
  WITH CHECK (workspace_id IN (SELECT my_workspaces()));
-- The records of an organization of mine, or of a workspace of mine under its own organization.
CREATE POLICY tenant ON outbox FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (
    organization_id IN (SELECT my_organizations())
    OR (workspace_id, organization_id) IN (
      SELECT w.id, w.organization_id FROM workspace w WHERE w.id IN (SELECT my_workspaces())
    )
  );
CREATE POLICY tenant ON audit_event FOR INSERT TO hexabase_tenancy_api
  WITH CHECK (
    actor_id = current_person_id()
    AND (
      organization_id IN (SELECT my_organizations())
      OR (workspace_id, organization_id) IN (
        SELECT w.id, w.organization_id FROM workspace w WHERE w.id IN (SELECT my_workspaces())
      )
    )
  );

-- rbac-sync: reads what decides a cluster's content, writes what it has seen and done.
GRANT SELECT ON plan, workspace, workspace_group, project, project_role, role_assignment, task
  TO hexabase_rbac_sync;
GRANT SELECT, INSERT, UPDATE, DELETE ON workspace_cluster, workspace_lease TO hexabase_rbac_sync;
GRANT UPDATE (observed_generation, conditions, updated_at) ON workspace TO hexabase_rbac_sync;
GRANT UPDATE (state, progress, step, error, updated_at, finished_at) ON task TO hexabase_rbac_sync;
CREATE POLICY rbac_sync ON workspace TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON workspace_group FOR SELECT TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON project FOR SELECT TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON project_role FOR SELECT TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON role_assignment FOR SELECT TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON task TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON workspace_cluster TO hexabase_rbac_sync USING (true);
CREATE POLICY rbac_sync ON workspace_lease TO hexabase_rbac_sync USING (true);
