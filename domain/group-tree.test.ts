import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createGroupTree,
  type GroupNode,
  isTooDeep,
  listSelfAndAncestors,
  MAX_GROUP_DEPTH,
  refuseParent,
} from './group-tree.ts';

const tree = (...nodes: [id: string, parentId: string | null][]) =>
  createGroupTree(nodes.map(([id, parentId]) => ({ id, parentId })));

describe('listSelfAndAncestors', () => {
  it.each([
    ['a root', tree(['a', null]), 'a', ['a']],
    ['a chain', tree(['a', null], ['b', 'a'], ['c', 'b']), 'c', ['c', 'b', 'a']],
    ['a parent that is gone', tree(['b', 'a']), 'b', ['b']],
    ['a cycle', tree(['a', 'c'], ['b', 'a'], ['c', 'b']), 'c', ['c', 'b', 'a']],
    ['below a cycle', tree(['a', 'b'], ['b', 'a'], ['c', 'b']), 'c', ['c', 'b', 'a']],
    ['its own parent', tree(['a', 'a']), 'a', ['a']],
    ['an unknown group', tree(['a', null]), 'z', []],
  ])('lists %s', (_name, groups, id, expected) => {
    expect(listSelfAndAncestors(groups, id)).toEqual(expected);
  });

  it('walks a thousand levels', () => {
    const nodes = Array.from({ length: 1000 }, (_, i): GroupNode => {
      return { id: `${i}`, parentId: i === 0 ? null : `${i - 1}` };
    });
    expect(listSelfAndAncestors(createGroupTree(nodes), '999')).toHaveLength(1000);
  });
});

describe('refuseParent', () => {
  const groups = tree(['root', null], ['a', 'root'], ['b', 'a'], ['c', 'root']);
  it.each([
    ['itself', 'a', 'a', 'own-parent'],
    ['a child', 'a', 'b', 'descendant'],
    ['a distant descendant', 'root', 'b', 'descendant'],
    ['a group that is not here', 'a', 'elsewhere', 'unknown-parent'],
    ['a sibling', 'a', 'c', null],
    ['the parent it has', 'b', 'a', null],
  ] as const)('judges %s', (_name, id, parent, expected) => {
    expect(refuseParent(groups, id, parent)).toBe(expected);
  });

  it('never lets a cycle in, whatever the order of moves', () => {
    const ids = Array.from({ length: 12 }, (_, i) => `${i}`);
    const move = fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids));
    fc.assert(
      fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
        let nodes = ids.map((id): GroupNode => ({ id, parentId: null }));
        for (const [id, parentId] of moves) {
          if (refuseParent(createGroupTree(nodes), id, parentId) !== null) continue;
          nodes = nodes.map((node) => (node.id === id ? { id, parentId } : node));
          expect(isForest(nodes)).toBe(true);
        }
      }),
    );
  });
});

/** Whether every walk up ends at a root. */
const isForest = (nodes: GroupNode[]): boolean => {
  const groups = createGroupTree(nodes);
  return nodes.every(
    ({ id }) => groups.get(listSelfAndAncestors(groups, id).at(-1)!)?.parentId === null,
  );
};

describe('isTooDeep', () => {
  const chain = createGroupTree(
    Array.from({ length: MAX_GROUP_DEPTH }, (_, i) => ({
      id: `${i}`,
      parentId: i === 0 ? null : `${i - 1}`,
    })),
  );

  it.each([
    ['a leaf at the last level', MAX_GROUP_DEPTH - 2, 1, false],
    ['a leaf below the last level', MAX_GROUP_DEPTH - 1, 1, true],
    ['a tree that just fits', 0, MAX_GROUP_DEPTH - 1, false],
    ['a tree that doesn’t', 0, MAX_GROUP_DEPTH, true],
  ])('judges %s', (_, parent, levels, expected) => {
    expect(isTooDeep(chain, `${parent}`, levels)).toBe(expected);
  });
});
