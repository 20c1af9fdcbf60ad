-- What memberships, imports and lists of members need.

-- The name that an import knew the group by, where it had to be made to fit: the same import again
-- finds it by that, whatever it is called by then.
ALTER TABLE workspace_group ADD imported_as text;
CREATE UNIQUE INDEX workspace_group__workspace_id_imported_as__unique
  ON workspace_group (workspace_id, imported_as) WHERE imported_as IS NOT NULL;

-- A membership that has expired and is given again begins then.
GRANT UPDATE (created_at) ON group_member, group_service_account TO hexabase_tenancy_api;

-- The members of a group in the order in which they are listed, page by page.
CREATE INDEX group_member__group_id_person_id__idx ON group_member (group_id, person_id);
DROP INDEX group_member__group_id__idx;
CREATE INDEX group_service_account__group_id_service_account_id__idx
  ON group_service_account (group_id, service_account_id);
DROP INDEX group_service_account__group_id__idx;

-- The people near me, asked for each person that is looked at: a page of fifty members costs the same
-- in a workspace of a thousand and of a million. What these tables show is bounded by their own
-- policies to my workspaces and my organizations.
DROP POLICY tenant ON person;
CREATE POLICY tenant ON person FOR SELECT TO hexabase_tenancy_api
  USING (
    id = current_person_id()
    OR EXISTS (SELECT FROM workspace_member m WHERE m.person_id = person.id)
    OR EXISTS (SELECT FROM organization_user u WHERE u.person_id = person.id)
  );
DROP FUNCTION people_near_me();
