-- What is mine, asked for each row that is looked at, by an index: a page of fifty rows costs the same
-- for whoever is in a thousand workspaces and in a million, where collecting all that is mine first grows
-- with it. OFFSET 0 keeps the planner from doing just that.

-- What is mine in the order in which it is listed, page by page.
CREATE INDEX workspace_member__person_id_workspace_id__idx ON workspace_member (person_id, workspace_id);
DROP INDEX workspace_member__person_id__idx;
CREATE INDEX organization_user__person_id_organization_id__idx
  ON organization_user (person_id, organization_id);
DROP INDEX organization_user__person_id__idx;
CREATE INDEX workspace__organization_id_id__idx ON workspace (organization_id, id);

-- One's own rows need no look at what else is mine, and the policies below ask for no others.
ALTER POLICY tenant ON workspace_member
  USING (person_id = current_person_id() OR workspace_id IN (SELECT my_workspaces()));
ALTER POLICY tenant ON organization_user
  USING (person_id = current_person_id() OR organization_id IN (SELECT my_organizations()));

ALTER POLICY tenant ON organization
  USING (EXISTS (
    SELECT FROM organization_user u
    WHERE u.organization_id = organization.id AND u.person_id = current_person_id()
    OFFSET 0
  ));

ALTER POLICY tenant ON workspace
  USING (
    EXISTS (
      SELECT FROM workspace_member m
      WHERE m.workspace_id = workspace.id AND m.person_id = current_person_id()
      OFFSET 0
    )
    OR EXISTS (
      SELECT FROM organization_user u
      WHERE u.organization_id = workspace.organization_id AND u.person_id = current_person_id()
      OFFSET 0
    )
  )
  WITH CHECK (
    EXISTS (
      SELECT FROM workspace_member m
      WHERE m.workspace_id = workspace.id AND m.person_id = current_person_id()
      OFFSET 0
    )
    OR EXISTS (
      SELECT FROM organization_user u
      WHERE u.organization_id = workspace.organization_id AND u.person_id = current_person_id()
      OFFSET 0
    )
  );

DO $$
DECLARE
  inside text;
BEGIN
  FOREACH inside IN ARRAY ARRAY[
    'workspace_group', 'group_member', 'project', 'project_role', 'role_assignment', 'workspace_cluster',
    'service_account', 'group_service_account'
  ] LOOP
    EXECUTE format(
      'ALTER POLICY tenant ON %1$I
       USING (EXISTS (
         SELECT FROM workspace_member m
         WHERE m.workspace_id = %1$I.workspace_id AND m.person_id = current_person_id()
         OFFSET 0
       ))',
      inside
    );
  END LOOP;
END
$$;

ALTER POLICY tenant ON task
  USING (
    created_by = current_person_id()
    OR EXISTS (
      SELECT FROM workspace_member m
      WHERE m.workspace_id = task.workspace_id AND m.person_id = current_person_id()
      OFFSET 0
    )
  )
  WITH CHECK (
    EXISTS (
      SELECT FROM workspace_member m
      WHERE m.workspace_id = task.workspace_id AND m.person_id = current_person_id()
      OFFSET 0
    )
    OR (
      created_by = current_person_id()
      AND EXISTS (
        SELECT FROM workspace w
        JOIN organization_user u ON u.organization_id = w.organization_id
        WHERE w.id = task.workspace_id AND u.person_id = current_person_id()
        OFFSET 0
      )
    )
  );

ALTER POLICY tenant ON outbox
  WITH CHECK (
    EXISTS (
      SELECT FROM organization_user u
      WHERE u.organization_id = outbox.organization_id AND u.person_id = current_person_id()
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

CREATE OR REPLACE FUNCTION workspace_organization(in_workspace uuid)
  RETURNS TABLE (slug text, delete_after timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = public, pg_temp AS $$
  SELECT o.slug, o.delete_after
  FROM workspace w
  JOIN organization o ON o.id = w.organization_id
  WHERE w.id = in_workspace
    AND (
      EXISTS (
        SELECT FROM workspace_member m
        WHERE m.workspace_id = w.id AND m.person_id = current_person_id()
        OFFSET 0
      )
      OR EXISTS (
        SELECT FROM organization_user u
        WHERE u.organization_id = w.organization_id AND u.person_id = current_person_id()
        OFFSET 0
      )
    )
$$;
