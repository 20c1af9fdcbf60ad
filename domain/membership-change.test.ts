import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGroupTree, type GroupNode, listSelfAndAncestors } from './group-tree.ts';
import { compareEffectiveGroups, type DirectMembership } from './membership-change.ts';

const tree = (...nodes: [id: string, parentId: string | null][]) =>
  createGroupTree(nodes.map(([id, parentId]) => ({ id, parentId })));

const memberships = (pairs: [member: string, groupId: string][]): DirectMembership[] =>
  pairs.map(([member, groupId]) => ({ member, groupId }));

const before = tree(['r', null], ['a', 'r'], ['b', 'r'], ['c', 'a'], ['d', 'c']);
const moved = tree(['r', null], ['a', 'r'], ['b', 'r'], ['c', 'b'], ['d', 'c']);

describe('compareEffectiveGroups', () => {
  it.each([
    ['below what moves', [['ann', 'd']], [{ member: 'ann', gained: ['b'], lost: ['a'] }]],
    [
      'who stays by another group',
      [
        ['ann', 'd'],
        ['ann', 'a'],
      ],
      [{ member: 'ann', gained: ['b'], lost: [] }],
    ],
    [
      'who had it by another group',
      [
        ['ann', 'c'],
        ['ann', 'b'],
      ],
      [{ member: 'ann', gained: [], lost: ['a'] }],
    ],
    [
      'who had and keeps both',
      [
        ['ann', 'd'],
        ['ann', 'a'],
        ['ann', 'b'],
      ],
      [],
    ],
    [
      'elsewhere',
      [
        ['ann', 'a'],
        ['bob', 'b'],
        ['cid', 'gone'],
      ],
      [],
    ],
  ] as [string, [string, string][], unknown][])('tells of members %s', (_, direct, expected) => {
    const change = { before, after: moved, memberships: memberships(direct) };
    expect(compareEffectiveGroups(change)).toEqual(expected);
  });

  it('tells what a group takes with it when it goes', () => {
    const after = tree(['r', null], ['a', 'r'], ['b', 'r'], ['c', 'a']);
    const direct = memberships([
      ['ann', 'd'],
      ['bob', 'd'],
      ['bob', 'c'],
    ]);
    expect(compareEffectiveGroups({ before, after, memberships: direct })).toEqual([
      { member: 'ann', gained: [], lost: ['a', 'c', 'd', 'r'] },
      { member: 'bob', gained: [], lost: ['d'] },
    ]);
  });

  it('agrees with the effective groups before and after, for every forest and every move', () => {
    const size = 10;
    const forest = fc.array(fc.nat(), { minLength: size, maxLength: size }).map((seeds) =>
      seeds.map((seed, i): GroupNode => {
        return { id: `${i}`, parentId: i === 0 || seed % 5 === 0 ? null : `${seed % i}` };
      }),
    );
    const member = fc.array(fc.nat({ max: size - 1 }), { maxLength: 4 });
    fc.assert(
      fc.property(forest, forest, fc.array(member, { maxLength: 6 }), (old, next, members) => {
        const trees = { before: createGroupTree(old), after: createGroupTree(next) };
        const direct = members.flatMap((groups, i) =>
          groups.map((group) => ({ member: `m${i}`, groupId: `${group}` })),
        );
        const effective = (nodes: typeof trees.before, groups: number[]) =>
          new Set(groups.flatMap((group) => listSelfAndAncestors(nodes, `${group}`)));
        const expected = members.flatMap((groups, i) => {
          const [had, has] = [effective(trees.before, groups), effective(trees.after, groups)];
          const gained = [...has].filter((id) => !had.has(id)).sort();
          const lost = [...had].filter((id) => !has.has(id)).sort();
          return gained.length + lost.length === 0 ? [] : [{ member: `m${i}`, gained, lost }];
        });
        expect(compareEffectiveGroups({ ...trees, memberships: direct })).toEqual(expected);
      }),
    );
  });
});
