/** Where a project may be in the tree, and what a move there means. Runs under the workspace's lock. */
import {
  createProjectTree,
  listLineage,
  listSubtree,
  MAX_PROJECT_LEVELS,
  type ProjectParentRefusal,
  refuseProjectParent,
} from '#domain/project-tree.ts';
import type { RequestContext } from '../context.ts';
import { bodyProblem, PROBLEMS } from '../problems.ts';
import { listAssignmentsIn } from '../role-assignments/queries.ts';
import type { RoleAssignmentRow } from '../role-assignments/schema.ts';
import { listProjectNodes, type ProjectNodeRow } from './queries.ts';
import { MAX_MOVED_ASSIGNMENTS, type Move } from './schema.ts';

const REFUSALS = {
  'unknown-parent': 'There is no such project in this workspace.',
  'own-parent': 'A project can’t be its own parent.',
  descendant: 'The parent is below the project itself; that would be a cycle.',
  'too-deep': `A tree of projects has at most ${MAX_PROJECT_LEVELS} levels, those below the moved one included.`,
} as const satisfies Record<NonNullable<ProjectParentRefusal>, string>;

/**
 * Whether a project, new or not, may go below this parent.
 *
 * @throws Problem invalid-parent
 */
export const assertParent = async (
  { tx }: RequestContext,
  workspaceId: string,
  { id, parentId }: { readonly id: string; readonly parentId: string },
): Promise<void> => {
  const tree = createProjectTree(await listProjectNodes(tx, workspaceId));
  const refusal = refuseProjectParent(tree, id, parentId);
  if (refusal !== null) throw bodyProblem(PROBLEMS.invalidParent, ['parent'], REFUSALS[refusal]);
};

/**
 * What a move means for the project and all below it alike: the assignments of ancestors that are new,
 * and of those that are no more.
 *
 * @param trees the projects before and after the move
 */
export const describeMove = async (
  { tx }: RequestContext,
  { workspaceId, projectId }: { readonly workspaceId: string; readonly projectId: string },
  trees: { readonly before: readonly ProjectNodeRow[]; readonly after: readonly ProjectNodeRow[] },
): Promise<Move> => {
  const [before, after] = [toLineage(trees.before, projectId), toLineage(trees.after, projectId)];
  const read = async (lineage: Lineage, other: Lineage): Promise<RoleAssignmentRow[]> => {
    const from = [...lineage.keys()].filter((id) => !other.has(id));
    const page = { projectIds: from, take: MAX_MOVED_ASSIGNMENTS + 1 };
    const rows = await listAssignmentsIn(tx, workspaceId, page);
    return rows.map((row) => ({ ...row, ...lineage.get(row.project_id ?? '') }));
  };
  return {
    projects: listMoved(trees.after, projectId),
    gained: await read(after, before),
    lost: await read(before, after),
  };
};

/** The ancestors of a project by id, as assignments name where they come from. */
type Lineage = ReadonlyMap<string, Pick<RoleAssignmentRow, 'inherited_name' | 'inherited_depth'>>;

const toLineage = (nodes: readonly ProjectNodeRow[], id: string): Lineage => {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const lineage = listLineage(createProjectTree(nodes), id);
  return new Map(
    lineage.slice(1).map((ancestor, index) => {
      const name = names.get(ancestor) ?? null;
      return [ancestor, { inherited_name: name, inherited_depth: index + 1 }];
    }),
  );
};

/** The moved project first, then level by level. */
const listMoved = (nodes: readonly ProjectNodeRow[], id: string): readonly ProjectNodeRow[] => {
  const tree = createProjectTree(nodes);
  const moved = new Set(listSubtree(tree, id));
  const depthOf = (node: ProjectNodeRow) => listLineage(tree, node.id).length;
  return nodes.filter((node) => moved.has(node.id)).sort((a, b) => depthOf(a) - depthOf(b));
};
