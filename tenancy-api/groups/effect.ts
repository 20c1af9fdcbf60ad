/**
 * Who gains and loses what when the tree changes: said before it is done, and the same once more by
 * what does it. Three queries, however many are concerned.
 */
import { createGroupTree } from '#domain/group-tree.ts';
import { formatId } from '#domain/identifiers.ts';
import { compareEffectiveGroups, type MembershipChange } from '#domain/membership-change.ts';
import type { RequestContext } from '../context.ts';
import { toGroupReference } from '../members/schema.ts';
import {
  listGrants,
  listGroupNodes,
  listMembershipsOfMembersBelow,
  type MembershipRow,
  type NodeRow,
} from './effect-queries.ts';
import {
  type Affected,
  type GrantRow,
  type GroupEffect,
  MAX_AFFECTED,
  toGrant,
} from './effect-schema.ts';

/** A change of one group's place; `parentId` is `undefined` when the group goes. */
export type PlaceChange = {
  readonly workspaceId: string;
  readonly groupId: string;
  readonly parentId: string | null | undefined;
};

/** What a change of the tree does to members; asked before the change. */
export const findGroupEffect = async (
  { tx }: RequestContext,
  { workspaceId, groupId, parentId }: PlaceChange,
): Promise<GroupEffect> => {
  const nodes = await listGroupNodes(tx, workspaceId);
  const memberships = await listMembershipsOfMembersBelow(tx, workspaceId, groupId);
  const after = nodes.flatMap((node) => {
    if (node.id !== groupId) return [node];
    return parentId === undefined ? [] : [{ ...node, parentId }];
  });
  const changes = compareEffectiveGroups({
    before: createGroupTree(nodes),
    after: createGroupTree(after),
    memberships,
  });
  const members = new Map(memberships.map((row) => [row.member, row]));
  const shown = changes.slice(0, MAX_AFFECTED);
  const groupIds = new Set(shown.flatMap(({ gained, lost }) => [...gained, ...lost]));
  const grants = groupIds.size === 0 ? [] : await listGrants(tx, workspaceId, [...groupIds]);
  const people = changes.filter(({ member }) => members.get(member)?.kind === 'person').length;
  const toAffected = createToAffected({ nodes, members, grants });
  return {
    people_affected: people,
    service_accounts_affected: changes.length - people,
    affected: shown.flatMap(toAffected),
  };
};

const createToAffected = (known: {
  readonly nodes: readonly NodeRow[];
  readonly members: ReadonlyMap<string, MembershipRow>;
  readonly grants: readonly GrantRow[];
}): ((change: MembershipChange) => Affected[]) => {
  const nodes = new Map(known.nodes.map((node) => [node.id, node]));
  const grants = Map.groupBy(known.grants, (grant) => grant.group_id);
  const toGroups = (ids: readonly string[]) =>
    ids
      .flatMap((id) => nodes.get(id) ?? [])
      .map(toGroupReference)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const toRoles = (ids: readonly string[]) =>
    ids.flatMap((id) => grants.get(id) ?? []).map(toGrant);
  return ({ member, gained, lost }) => {
    const row = known.members.get(member);
    if (!row) return [];
    return [
      {
        kind: row.kind,
        id: formatId(row.kind === 'person' ? 'person' : 'serviceAccount', member),
        display_name: row.display_name,
        groups_gained: toGroups(gained),
        groups_lost: toGroups(lost),
        roles_gained: toRoles(gained),
        roles_lost: toRoles(lost),
      },
    ];
  };
};
