/**
 * Which workspace groups others' bindings in a cluster name: whoever is in more groups than a token carries
 * needs these in it. Kept for the issuer, which sees no cluster.
 */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { GroupName, KUBERNETES_PREFIX } from '#domain/group-name.ts';
import { toObjectKey } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';

const Subjects = z.array(z.object({ kind: z.string(), name: z.string() }));

/** The names of workspace groups that bindings name, without prefix, each once, sorted by code unit. */
export const listBoundGroups = (bindings: Iterable<ObservedObject>): readonly string[] => {
  const names = new Set<string>();
  for (const binding of bindings) {
    const subjects = Subjects.safeParse(binding['subjects']).data ?? [];
    for (const { kind, name } of subjects) {
      if (kind !== 'Group' || !name.startsWith(KUBERNETES_PREFIX)) continue;
      const group = GroupName.safeParse(name.slice(KUBERNETES_PREFIX.length));
      if (group.success) names.add(group.data);
    }
  }
  return [...names].sort();
};

/**
 * The bindings in a cluster that no role assignment answers for: others', and those of ours that were changed
 * and are left so.
 *
 * @param withheld keys of what sync leaves alone
 */
export const othersBindings = (
  { foreign, stores }: Pick<WorkspaceCluster, 'foreign' | 'stores'>,
  withheld: ReadonlySet<string>,
): readonly ObservedObject[] => [
  ...foreign.RoleBinding.values(),
  ...foreign.ClusterRoleBinding.values(),
  ...[...stores.RoleBinding.values(), ...stores.ClusterRoleBinding.values()].filter((binding) =>
    withheld.has(toObjectKey(binding)),
  ),
];

/** Makes these the groups that others' bindings name. Runs under the lease. */
export const saveBoundGroups = async (
  db: CommonQueryMethods,
  workspaceId: string,
  names: readonly string[],
): Promise<void> => {
  const listed = sql.array([...names], 'text');
  await db.query(sql.type(z.strictObject({}))`
    WITH gone AS (
      DELETE FROM foreign_bound_group
      WHERE workspace_id = ${workspaceId} AND name <> ALL(${listed})
    )
    INSERT INTO foreign_bound_group (workspace_id, name)
    SELECT ${workspaceId}::uuid, unnest(${listed})
    ON CONFLICT DO NOTHING
  `);
};
