/**
 * The tree of a workspace's projects: what is given in a project holds in every project below it, as
 * in the Hierarchical Namespace Controller (HNC). Pure; safe on damaged data (a cycle ends the walk).
 */
import {
  createGroupTree,
  type GroupNode,
  type GroupTree,
  listSelfAndAncestors,
  type ParentRefusal,
  refuseParent,
} from './group-tree.ts';

/** A project as the tree sees it. */
export type ProjectNode = GroupNode;

/** The projects of a workspace by id. */
export type ProjectTree = GroupTree;

/** Builds the tree from rows. */
export const createProjectTree = (nodes: Iterable<ProjectNode>): ProjectTree =>
  createGroupTree(nodes);

/** How many levels a tree of projects may have: each is a label on every namespace below it. */
export const MAX_PROJECT_LEVELS = 8;

/** A project, then its parent, and so on up to the top: whose assignments hold in it. */
export const listLineage = (tree: ProjectTree, id: string): string[] =>
  listSelfAndAncestors(tree, id);

/** A project and all below it, in no order that matters: where its assignments hold. */
export const listSubtree = (tree: ProjectTree, id: string): string[] =>
  [...tree.keys()].filter((each) => listLineage(tree, each).includes(id));

/** Why a project can't go below a parent, or `null` when it can. */
export type ProjectParentRefusal = ParentRefusal | 'too-deep';

/**
 * Whether `id`, in the tree or new, may become a child of `parentId`: the parent is a project of the
 * same tree, not the project itself nor below it, and what hangs below stays within
 * {@link MAX_PROJECT_LEVELS}.
 */
export const refuseProjectParent = (
  tree: ProjectTree,
  id: string,
  parentId: string,
): ProjectParentRefusal => {
  const refusal = refuseParent(tree, id, parentId);
  if (refusal !== null) return refusal;
  const levels = listLineage(tree, parentId).length + countLevels(tree, id);
  return levels > MAX_PROJECT_LEVELS ? 'too-deep' : null;
};

const countLevels = (tree: ProjectTree, id: string): number =>
  Math.max(1, ...listSubtree(tree, id).map((each) => listLineage(tree, each).indexOf(id) + 1));

/** How the key of each tree label ends; it begins with the name of a project. */
export const TREE_LABEL_SUFFIX = '.tree.kaas.hexabase.io/depth';

/**
 * The labels that a namespace has for its place, as HNC's `<ancestor>.tree.hnc.x-k8s.io/depth`: for
 * itself and each project above, how many levels up that is. A selector on the existence of
 * `<project>.tree.kaas.hexabase.io/depth` finds the project and all below it; on its value, a level.
 *
 * @param names the project's own and those of its ancestors, upwards
 */
export const toTreeLabels = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name, depth) => [`${name}${TREE_LABEL_SUFFIX}`, `${depth}`]));
