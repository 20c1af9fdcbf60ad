/**
 * What a change of the group tree does to the members in it: which effective groups each gains and
 * loses. Pure; the same function tells it before the change and after.
 */
import { type GroupNode, type GroupTree, listSelfAndAncestors } from './group-tree.ts';

/** A direct membership. `member` is any text that tells members apart. */
export type DirectMembership = { readonly member: string; readonly groupId: string };

/** What changes for one member: ids of groups, sorted. */
export type MembershipChange = {
  readonly member: string;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
};

/** The tree before and after, and all direct memberships of whoever may be concerned. */
export type TreeChange = {
  readonly before: GroupTree;
  readonly after: GroupTree;
  readonly memberships: Iterable<DirectMembership>;
};

/** The members whose effective groups change, in the order in which their memberships come. */
export const compareEffectiveGroups = (change: TreeChange): MembershipChange[] => {
  const { before, after } = change;
  const candidates = listCandidates(before, after);
  if (candidates.size === 0) return [];
  const chainsBefore = createChains(before, candidates);
  const chainsAfter = createChains(after, candidates);
  const groupsOf = new Map<string, string[]>();
  for (const { member, groupId } of change.memberships) {
    const direct = groupsOf.get(member);
    if (direct) direct.push(groupId);
    else groupsOf.set(member, [groupId]);
  }
  return Array.from(groupsOf, ([member, direct]) => {
    const had = new Set(direct.flatMap(chainsBefore));
    const has = new Set(direct.flatMap(chainsAfter));
    const gained = [...has].filter((id) => !had.has(id)).toSorted();
    const lost = [...had].filter((id) => !has.has(id)).toSorted();
    return { member, gained, lost };
  }).filter(({ gained, lost }) => gained.length + lost.length > 0);
};

/**
 * The groups that anyone can gain or lose: whatever way up from a group changes, it changes at a
 * group whose own parent did.
 */
const listCandidates = (before: GroupTree, after: GroupTree): ReadonlySet<string> => {
  const candidates = new Set<string>();
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    if (parentOf(before, id) === parentOf(after, id)) continue;
    const above = new Set(listSelfAndAncestors(before, id));
    const aboveAfter = new Set(listSelfAndAncestors(after, id));
    for (const each of above) if (!aboveAfter.has(each)) candidates.add(each);
    for (const each of aboveAfter) if (!above.has(each)) candidates.add(each);
  }
  return candidates;
};

/** `undefined` for a group that isn't there. */
const parentOf = (tree: GroupTree, id: string): GroupNode['parentId'] | undefined =>
  tree.get(id)?.parentId;

/** The way up from a group, as far as it matters; found once for each group. */
const createChains = (
  tree: GroupTree,
  candidates: ReadonlySet<string>,
): ((groupId: string) => readonly string[]) => {
  const known = new Map<string, readonly string[]>();
  return (groupId) => {
    const chain =
      known.get(groupId) ?? listSelfAndAncestors(tree, groupId).filter((id) => candidates.has(id));
    known.set(groupId, chain);
    return chain;
  };
};
