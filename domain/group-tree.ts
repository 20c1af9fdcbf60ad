/**
 * The tree of a workspace's groups: who is whose ancestor, and which changes keep it a tree. Pure;
 * safe on damaged data (a cycle ends the walk).
 */

/** A group as the tree sees it. */
export type GroupNode = { readonly id: string; readonly parentId: string | null };

/** The groups of a workspace by id. */
export type GroupTree = ReadonlyMap<string, GroupNode>;

/** Builds the tree from rows. */
export const createGroupTree = (nodes: Iterable<GroupNode>): GroupTree =>
  new Map(Array.from(nodes, (node) => [node.id, node]));

/** How many levels a tree may have, WorkspaceMembers among them: every question about it walks them. */
export const MAX_GROUP_DEPTH = 32;

/** The group itself, then its parent, and so on up to a root; each once, even on a cycle. */
export const listSelfAndAncestors = (tree: GroupTree, id: string): string[] => {
  const seen = new Set<string>();
  for (let node = tree.get(id); node && !seen.has(node.id); ) {
    seen.add(node.id);
    node = node.parentId === null ? undefined : tree.get(node.parentId);
  }
  return [...seen];
};

/** Why a group can't go below a parent, or `null` when it can. */
export type ParentRefusal = 'unknown-parent' | 'own-parent' | 'descendant' | null;

/**
 * Whether `id` may become a child of `parentId`: the parent is a group of the same tree, and
 * neither the group itself nor below it.
 */
export const refuseParent = (tree: GroupTree, id: string, parentId: string): ParentRefusal => {
  if (id === parentId) return 'own-parent';
  if (!tree.has(parentId)) return 'unknown-parent';
  return listSelfAndAncestors(tree, parentId).includes(id) ? 'descendant' : null;
};

/**
 * Whether there is no room below a parent.
 *
 * @param levels how many levels come along: 1 for a group with none below it
 */
export const isTooDeep = (tree: GroupTree, parentId: string, levels: number): boolean =>
  listSelfAndAncestors(tree, parentId).length + levels > MAX_GROUP_DEPTH;

/**
 * The groups that are above themselves. Takes away whatever has nothing below it, over and over: what
 * stays is on a cycle.
 *
 * @param parentOf group → its parent, or `null` for a root
 */
export const listOnCycles = (parentOf: ReadonlyMap<string, string | null>): Set<string> => {
  const children = new Map(Array.from(parentOf.keys(), (id) => [id, 0]));
  const count = (id: string | null | undefined): number => children.get(id ?? '') ?? 0;
  for (const parent of parentOf.values()) {
    if (parent !== null) children.set(parent, count(parent) + 1);
  }
  const leaves = [...parentOf.keys()].filter((id) => count(id) === 0);
  const left = new Set(parentOf.keys());
  for (let leaf = leaves.pop(); leaf !== undefined; leaf = leaves.pop()) {
    left.delete(leaf);
    const parent = parentOf.get(leaf);
    if (parent === null || parent === undefined) continue;
    children.set(parent, count(parent) - 1);
    if (count(parent) === 0 && left.has(parent)) leaves.push(parent);
  }
  return left;
};
