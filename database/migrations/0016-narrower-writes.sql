-- What an attack found too wide: whose making an organization counts, which tasks one sees, which records
-- one writes, and which columns of a group can change.

-- Whoever makes organizations is limited in those they made, whoever owns them now: ownership can be given
-- to people who never asked for it.
ALTER TABLE organization
  ADD created_by uuid CONSTRAINT organization__created_by__fkey REFERENCES person ON DELETE SET NULL;
CREATE INDEX organization__created_by__idx ON organization (created_by) WHERE created_by IS NOT NULL;
CREATE FUNCTION count_organizations_i_made() RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*)::int FROM organization WHERE created_by = current_person_id()
$$;
REVOKE ALL ON FUNCTION count_organizations_i_made FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_organizations_i_made TO hexabase_tenancy_api;
ALTER POLICY tenant_insert ON organization
  WITH CHECK (
    personal_for IS NULL AND delete_after IS NULL AND created_by = current_person_id()
  );

-- The tasks of a workspace's life are seen by users of its organization, as long as they are that.
ALTER POLICY tenant ON task
  USING (
    EXISTS (
      SELECT FROM workspace_member m
      WHERE m.workspace_id = task.workspace_id AND m.person_id = current_person_id()
      OFFSET 0
    )
    OR EXISTS (
      SELECT FROM workspace w
      JOIN organization_user u ON u.organization_id = w.organization_id
      WHERE w.id = task.workspace_id AND u.person_id = current_person_id()
        AND task.created_by = current_person_id()
      OFFSET 0
    )
  );

-- A record of an organization names no workspace of another.
ALTER POLICY tenant ON outbox
  WITH CHECK (
    EXISTS (
      SELECT FROM organization_user u
      WHERE u.organization_id = outbox.organization_id AND u.person_id = current_person_id()
        AND (
          outbox.workspace_id IS NULL
          OR EXISTS (
            SELECT FROM workspace w
            WHERE w.id = outbox.workspace_id AND w.organization_id = outbox.organization_id
          )
        )
      OFFSET 0
    )
    OR EXISTS (
      SELECT FROM workspace w
      JOIN workspace_member m ON m.workspace_id = w.id
      WHERE w.id = outbox.workspace_id AND w.organization_id = outbox.organization_id
        AND m.person_id = current_person_id()
      OFFSET 0
    )
  );
ALTER POLICY tenant ON audit_event
  WITH CHECK (
    actor_id = current_person_id()
    AND (
      EXISTS (
        SELECT FROM organization_user u
        WHERE u.organization_id = audit_event.organization_id AND u.person_id = current_person_id()
          AND (
            audit_event.workspace_id IS NULL
            OR EXISTS (
              SELECT FROM workspace w
              WHERE w.id = audit_event.workspace_id AND w.organization_id = audit_event.organization_id
            )
          )
        OFFSET 0
      )
      OR EXISTS (
        SELECT FROM workspace w
        JOIN workspace_member m ON m.workspace_id = w.id
        WHERE w.id = audit_event.workspace_id AND w.organization_id = audit_event.organization_id
          AND m.person_id = current_person_id()
        OFFSET 0
      )
    )
  );

-- A group's name is in tokens and bindings, and presets stay what they are.
REVOKE UPDATE ON workspace_group FROM hexabase_tenancy_api;
GRANT UPDATE (display_name, parent_id, imported_as, version, updated_at) ON workspace_group
  TO hexabase_tenancy_api;
