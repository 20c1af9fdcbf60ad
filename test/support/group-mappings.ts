/** Mappings from upstream groups, and the passing of time between two looks at a provider. */
import { createId } from '#domain/identifiers.ts';
import type { TestDatabase } from './database.ts';

/** Whoever is in the upstream group is in the workspace's group from the next sign-in on. */
export const mapUpstreamGroup = async (
  { query }: TestDatabase,
  mapping: {
    readonly workspaceId: string;
    readonly groupId: string;
    readonly connector: string;
    readonly upstreamGroup: string;
  },
): Promise<void> => {
  const { workspaceId, groupId, connector, upstreamGroup } = mapping;
  await query(
    `INSERT INTO group_mapping (id, workspace_id, group_id, connector, upstream_group)
     VALUES ($1, $2, $3, $4, $5)`,
    [createId(), workspaceId, groupId, connector, upstreamGroup],
  );
};

/** So much time passes that every provider is asked again at the next token. */
export const letLooksFallDue = async ({ query }: TestDatabase): Promise<void> => {
  await query(
    'UPDATE upstream_account SET look_at = now(), looking_until = NULL WHERE look_at IS NOT NULL',
  );
};
