/** Rows that the issuer reads, put there as other services would. */
import { createId, formatId } from '#domain/identifiers.ts';
import type { TestDatabase } from '../../support/database.ts';

const STARTER_PLAN = '01940000-0000-7000-8000-000000000001';

/** A workspace in the database. */
export type TestWorkspace = {
  readonly id: string;
  readonly clientId: string;
  /** Makes a group, below another one or at the top. */
  readonly addGroup: (name: string, parentId?: string | null) => Promise<string>;
  /** Makes someone a member, and a direct member of groups. */
  readonly addMember: (personId: string, ...groupIds: string[]) => Promise<void>;
  readonly removeMember: (personId: string) => Promise<void>;
  readonly leaveGroup: (personId: string, groupId: string) => Promise<void>;
};

/** Makes a workspace in an organization of its own. */
export const createWorkspace = async (
  { query }: Pick<TestDatabase, 'query'>,
  name = 'Payments',
): Promise<TestWorkspace> => {
  const [id, organizationId] = [createId(), createId()];
  await query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $3)', [
    organizationId,
    organizationId,
    'Acme Corporation',
  ]);
  await query(
    'INSERT INTO workspace (id, organization_id, slug, name, plan_id) VALUES ($1, $2, $3, $4, $5)',
    [id, organizationId, 'w', name, STARTER_PLAN],
  );
  return {
    id,
    clientId: formatId('workspace', id),
    addGroup: async (group, parentId = null) => {
      const groupId = createId();
      await query(
        'INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id) VALUES ($1, $2, $3, $3, $4)',
        [groupId, id, group, parentId],
      );
      return groupId;
    },
    addMember: async (personId, ...groupIds) => {
      await query(
        'INSERT INTO workspace_member (workspace_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [id, personId],
      );
      await query(
        'INSERT INTO group_member (workspace_id, person_id, group_id) SELECT $1, $2, unnest($3::uuid[])',
        [id, personId, groupIds],
      );
    },
    removeMember: async (personId) => {
      await query('DELETE FROM workspace_member WHERE workspace_id = $1 AND person_id = $2', [
        id,
        personId,
      ]);
    },
    leaveGroup: async (personId, groupId) => {
      await query('DELETE FROM group_member WHERE person_id = $1 AND group_id = $2', [
        personId,
        groupId,
      ]);
    },
  };
};

/** Makes a person who can sign in through the test connector, as an import does. */
export const createPerson = async (
  { query }: Pick<TestDatabase, 'query'>,
  username: string = createId(),
): Promise<string> => {
  const id = createId();
  await query('INSERT INTO person (id, display_name) VALUES ($1, $2)', [id, username]);
  await query("INSERT INTO identity (connector, subject, person_id) VALUES ('local', $1, $2)", [
    username,
    id,
  ]);
  return id;
};
