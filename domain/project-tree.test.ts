import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createProjectTree,
  listLineage,
  listSubtree,
  MAX_PROJECT_LEVELS,
  type ProjectNode,
  refuseProjectParent,
  toTreeLabels,
} from './project-tree.ts';

const node = (id: string, parentId: string | null = null): ProjectNode => ({ id, parentId });

/** Projects in a chain, the first at the top. */
const chain = (prefix: string, length: number): ProjectNode[] =>
  Array.from({ length }, (_, n) => node(`${prefix}${n}`, n === 0 ? null : `${prefix}${n - 1}`));

describe('refuseProjectParent', () => {
  const nodes = [node('top'), node('mid', 'top'), node('low', 'mid'), node('other')];
  const tree = createProjectTree([...nodes, ...chain('deep', MAX_PROJECT_LEVELS)]);
  it.each([
    ['low', 'top', null],
    ['top', 'other', null],
    ['new', 'low', null],
    ['top', 'top', 'own-parent'],
    ['top', 'low', 'descendant'],
    ['top', 'gone', 'unknown-parent'],
    ['new', `deep${MAX_PROJECT_LEVELS - 2}`, null],
    ['new', `deep${MAX_PROJECT_LEVELS - 1}`, 'too-deep'],
    // Three levels come along.
    ['top', `deep${MAX_PROJECT_LEVELS - 4}`, null],
    ['top', `deep${MAX_PROJECT_LEVELS - 3}`, 'too-deep'],
  ] as const)('%s below %s: %s', (id, parentId, refusal) => {
    expect(refuseProjectParent(tree, id, parentId)).toBe(refusal);
  });

  it('keeps any tree a tree, and within its levels, whatever is moved', () => {
    const moves = fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 40 });
    fc.assert(
      fc.property(moves, (wanted) => {
        let now = Array.from({ length: 12 }, (_, n) => node(`p${n}`));
        for (const [child, parent] of wanted) {
          const [id, parentId] = [`p${child}`, `p${parent}`];
          if (refuseProjectParent(createProjectTree(now), id, parentId) !== null) continue;
          now = now.map((each) => (each.id === id ? node(id, parentId) : each));
        }
        const after = createProjectTree(now);
        for (const { id } of now) {
          const lineage = listLineage(after, id);
          expect(lineage.length).toBeLessThanOrEqual(MAX_PROJECT_LEVELS);
          expect(after.get(lineage.at(-1) ?? '')?.parentId).toBeNull();
        }
      }),
    );
  });
});

describe('listSubtree', () => {
  it('is those whose lineage goes through the project', () => {
    const tree = createProjectTree([node('a'), node('b', 'a'), node('c', 'b'), node('d', 'a')]);
    expect(listSubtree(tree, 'a').sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(listSubtree(tree, 'b').sort()).toEqual(['b', 'c']);
    expect(listSubtree(tree, 'gone')).toEqual([]);
  });

  it('ends on a cycle', () => {
    const tree = createProjectTree([node('a', 'b'), node('b', 'a')]);
    expect(listSubtree(tree, 'a').sort()).toEqual(['a', 'b']);
  });
});

describe('toTreeLabels', () => {
  it('has the project at depth 0 and each ancestor at how many levels above it is', () => {
    expect(toTreeLabels(['low', 'mid', 'top'])).toEqual({
      'low.tree.kaas.hexabase.io/depth': '0',
      'mid.tree.kaas.hexabase.io/depth': '1',
      'top.tree.kaas.hexabase.io/depth': '2',
    });
  });

  it('has keys that Kubernetes takes, also of the longest name', () => {
    const [key = ''] = Object.keys(toTreeLabels(['x'.repeat(63)]));
    const [prefix = '', name = ''] = key.split('/');
    expect(prefix.length).toBeLessThanOrEqual(253);
    expect(prefix).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    expect(name).toBe('depth');
  });
});
