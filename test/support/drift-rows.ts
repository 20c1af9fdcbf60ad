/** Rows of the drift ledger, as rbac-sync writes them, for tests that have no cluster. */
import { createId, formatId } from '#domain/identifiers.ts';
import type { TestDatabase } from './database.ts';

const OPENED = {
  sentence:
    'Group "hexabase:WSUsers" could do what ClusterRole admin allows in the namespace shop.',
  subject: { kind: 'Group', name: 'hexabase:WSUsers', namespace: null },
  namespace: 'shop',
  role: 'ClusterRole admin',
  rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: [] }],
};
const ACTOR = {
  username: 'hexabase:usr_1',
  name: 'Ada Lovelace',
  email: 'ada@example.test',
  impersonated_by: null,
  user_agent: 'kubectl/v1.35.4',
  source_ips: ['192.0.2.7'],
};

/** What is different about a row. */
export type DriftOverrides = {
  readonly name?: string;
  readonly kind?: string;
  readonly action?: string;
  readonly resolved?: boolean;
};

/**
 * Writes a row: a contested RoleBinding that is open, unless said otherwise.
 *
 * @param workspaceId UUID
 * @returns its public id
 */
export const insertDrift = async (
  database: TestDatabase,
  workspaceId: string,
  { name = 'x', kind = 'RoleBinding', action = 'contested', resolved = false }: DriftOverrides = {},
): Promise<string> => {
  const id = createId();
  await database.query(
    `INSERT INTO drift (id, workspace_id, kind, namespace, name, change, action, reason, managers, actor,
       differences, opened, resolved_at, retry_at)
     VALUES ($1, $2, $3, 'shop', $4, 'modified', $5, 'Because.', '{kubectl-edit}', $6, $7, $8,
       CASE WHEN $9 THEN now() END, now() + interval '30 minutes')`,
    [
      id,
      workspaceId,
      kind,
      name,
      action,
      JSON.stringify(ACTOR),
      JSON.stringify([{ path: 'subjects', before: null, after: [OPENED.subject] }]),
      JSON.stringify([OPENED]),
      resolved,
    ],
  );
  return formatId('drift', id);
};
