-- What identity providers say of people, and which of their groups make somebody a member of ours.

-- The connectors in the issuer's settings, written by it when it starts, for the API to read.
CREATE TABLE connector (
  id text CONSTRAINT connector__id__pkey PRIMARY KEY,
  name text NOT NULL,
  type text NOT NULL,
  provides_groups boolean NOT NULL
);

-- Sign-ins before this don't count any more: the identity provider has taken the person back since.
ALTER TABLE person ADD signed_out_at timestamptz;

-- What a provider said last of an identity.
CREATE TABLE upstream_account (
  connector text NOT NULL,
  subject text NOT NULL,
  person_id uuid NOT NULL
    CONSTRAINT upstream_account__person_id__fkey REFERENCES person ON DELETE CASCADE,
  -- With all their parents.
  groups text[] NOT NULL,
  -- What the provider is asked again with, sealed with ENCRYPTION_KEY and bound to its row.
  sealed_credential bytea,
  seen_at timestamptz NOT NULL DEFAULT now(),
  -- When it is to be asked again, or when what it said counts no more; unset when neither matters.
  look_at timestamptz,
  -- Somebody is asking just now, and has until then.
  looking_until timestamptz,
  CONSTRAINT upstream_account__connector_subject__pkey PRIMARY KEY (connector, subject),
  CONSTRAINT upstream_account__connector_subject__fkey FOREIGN KEY (connector, subject)
    REFERENCES identity ON DELETE CASCADE
);
CREATE INDEX upstream_account__person_id__idx ON upstream_account (person_id);
CREATE INDEX upstream_account__groups__idx ON upstream_account USING gin (groups);

-- Whoever is in an upstream group is in the workspace's group. A mapping outlives its connector's absence
-- from the settings, without effect, so that a mistake there takes nobody's mappings away.
CREATE TABLE group_mapping (
  id uuid CONSTRAINT group_mapping__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL
    CONSTRAINT group_mapping__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  group_id uuid NOT NULL,
  connector text NOT NULL,
  upstream_group text NOT NULL
    CONSTRAINT group_mapping__upstream_group__check CHECK (length(upstream_group) BETWEEN 1 AND 255),
  created_by uuid CONSTRAINT group_mapping__created_by__fkey REFERENCES person ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT group_mapping__workspace_id_group_id_id__unique UNIQUE (workspace_id, group_id, id),
  CONSTRAINT group_mapping__group_id_connector_upstream_group__unique
    UNIQUE (group_id, connector, upstream_group),
  CONSTRAINT group_mapping__workspace_id_group_id__fkey FOREIGN KEY (workspace_id, group_id)
    REFERENCES workspace_group (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX group_mapping__connector_upstream_group__idx ON group_mapping (connector, upstream_group);

-- A person may be in a group directly and by any number of mappings, each a row of its own: whichever ends,
-- the others stay. A mapping's rows go with it.
ALTER TABLE group_member ADD mapping_id uuid;
ALTER TABLE group_member DROP CONSTRAINT group_member__workspace_id_person_id_group_id__pkey;
ALTER TABLE group_member ADD CONSTRAINT group_member__membership__unique
  UNIQUE NULLS NOT DISTINCT (workspace_id, person_id, group_id, mapping_id);
ALTER TABLE group_member ADD CONSTRAINT group_member__mapping_id__fkey
  FOREIGN KEY (workspace_id, group_id, mapping_id)
  REFERENCES group_mapping (workspace_id, group_id, id) ON DELETE CASCADE;
ALTER TABLE group_member ADD CONSTRAINT group_member__expires_at__check
  CHECK (mapping_id IS NULL OR expires_at IS NULL);
CREATE INDEX group_member__mapping_id__idx ON group_member (mapping_id) WHERE mapping_id IS NOT NULL;

-- Who isn't a direct member of the workspace leaves it with the last group that a mapping gave.
ALTER TABLE workspace_member ADD direct boolean NOT NULL DEFAULT true;
CREATE FUNCTION remove_mapped_members() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- One after the other: of two that take somebody's last two groups at once, each would see the other's.
  PERFORM FROM workspace_member w
  JOIN (SELECT DISTINCT workspace_id, person_id FROM gone WHERE mapping_id IS NOT NULL) g
    ON g.workspace_id = w.workspace_id AND g.person_id = w.person_id
  WHERE NOT w.direct
  ORDER BY w.workspace_id, w.person_id
  FOR UPDATE OF w;
  DELETE FROM workspace_member w
  USING (SELECT DISTINCT workspace_id, person_id FROM gone WHERE mapping_id IS NOT NULL) g
  WHERE w.workspace_id = g.workspace_id AND w.person_id = g.person_id AND NOT w.direct
    AND NOT EXISTS (
      SELECT FROM group_member m
      WHERE m.workspace_id = w.workspace_id AND m.person_id = w.person_id
    );
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION remove_mapped_members FROM PUBLIC;
CREATE TRIGGER remove_mapped_members AFTER DELETE ON group_member
  REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION remove_mapped_members();

-- Whether a provider has said that the caller is in a group: who isn't learns nothing of it by a mapping.
CREATE FUNCTION am_in_upstream_group(in_connector text, in_group text) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM upstream_account u
    WHERE u.person_id = current_person_id() AND u.connector = in_connector
      AND in_group = ANY (u.groups)
  )
$$;

-- Makes members of those whom a mapping of a workspace of mine concerns; answers how many.
CREATE FUNCTION apply_group_mapping(new_mapping uuid) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  mapping group_mapping;
  added integer;
BEGIN
  SELECT g.* INTO mapping
  FROM group_mapping g
  JOIN workspace_member w ON w.workspace_id = g.workspace_id AND w.person_id = current_person_id()
  WHERE g.id = new_mapping;
  -- What a provider takes just now must not be given: this waits for it, and keeps it waiting.
  PERFORM FROM upstream_account u
  WHERE u.connector = mapping.connector AND u.groups @> ARRAY[mapping.upstream_group]
  ORDER BY u.subject
  FOR SHARE;
  INSERT INTO workspace_member (workspace_id, person_id, direct)
  SELECT DISTINCT mapping.workspace_id, u.person_id, false
  FROM upstream_account u
  WHERE u.connector = mapping.connector AND u.groups @> ARRAY[mapping.upstream_group]
  ON CONFLICT DO NOTHING;
  INSERT INTO group_member (workspace_id, person_id, group_id, mapping_id)
  SELECT DISTINCT mapping.workspace_id, u.person_id, mapping.group_id, mapping.id
  FROM upstream_account u
  WHERE u.connector = mapping.connector AND u.groups @> ARRAY[mapping.upstream_group]
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END
$$;
REVOKE ALL ON FUNCTION am_in_upstream_group, apply_group_mapping FROM PUBLIC;
GRANT EXECUTE ON FUNCTION am_in_upstream_group, apply_group_mapping TO hexabase_tenancy_api;

DO $$
DECLARE
  guarded text;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['connector', 'upstream_account', 'group_mapping'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true)', guarded);
    EXECUTE format('CREATE POLICY issuer ON %I TO hexabase_issuer USING (true)', guarded);
  END LOOP;
END
$$;

-- issuer: what providers say, and the memberships that follow from it. Those that somebody gave are not
-- its to make or to end.
GRANT SELECT, INSERT, UPDATE, DELETE ON connector, upstream_account TO hexabase_issuer;
GRANT SELECT ON group_mapping TO hexabase_issuer;
GRANT UPDATE (signed_out_at) ON person TO hexabase_issuer;
GRANT INSERT (workspace_id, person_id, direct) ON workspace_member TO hexabase_issuer;
GRANT INSERT (workspace_id, person_id, group_id, mapping_id), DELETE ON group_member TO hexabase_issuer;
CREATE POLICY issuer_mapped ON workspace_member FOR INSERT TO hexabase_issuer WITH CHECK (NOT direct);
CREATE POLICY issuer_mapped ON group_member FOR INSERT TO hexabase_issuer
  WITH CHECK (mapping_id IS NOT NULL);
CREATE POLICY issuer_unmapped ON group_member FOR DELETE TO hexabase_issuer
  USING (mapping_id IS NOT NULL);

-- tenancy-api: the mappings of my workspaces. What follows from them is not its to write.
GRANT SELECT ON connector TO hexabase_tenancy_api;
CREATE POLICY everyone ON connector FOR SELECT TO hexabase_tenancy_api USING (true);
GRANT SELECT, DELETE ON group_mapping TO hexabase_tenancy_api;
GRANT INSERT (id, workspace_id, group_id, connector, upstream_group, created_by) ON group_mapping
  TO hexabase_tenancy_api;
CREATE POLICY tenant ON group_mapping TO hexabase_tenancy_api
  USING (EXISTS (
    SELECT FROM workspace_member m
    WHERE m.workspace_id = group_mapping.workspace_id AND m.person_id = current_person_id()
    OFFSET 0
  ));
GRANT UPDATE (direct) ON workspace_member TO hexabase_tenancy_api;
CREATE POLICY tenant_direct_insert ON workspace_member AS RESTRICTIVE FOR INSERT
  TO hexabase_tenancy_api WITH CHECK (direct);
CREATE POLICY tenant_direct_update ON workspace_member AS RESTRICTIVE FOR UPDATE
  TO hexabase_tenancy_api USING (true) WITH CHECK (direct);
CREATE POLICY tenant_direct_delete ON workspace_member AS RESTRICTIVE FOR DELETE
  TO hexabase_tenancy_api USING (direct);
CREATE POLICY tenant_direct_insert ON group_member AS RESTRICTIVE FOR INSERT
  TO hexabase_tenancy_api WITH CHECK (mapping_id IS NULL);
CREATE POLICY tenant_direct_update ON group_member AS RESTRICTIVE FOR UPDATE
  TO hexabase_tenancy_api USING (mapping_id IS NULL);
CREATE POLICY tenant_direct_delete ON group_member AS RESTRICTIVE FOR DELETE
  TO hexabase_tenancy_api USING (mapping_id IS NULL);
