import { describe, expect, it } from 'vitest';
import { createImportDiff, digestImportDiff } from './import-diff.ts';
import { type ExistingGroup, planImport } from './import-plan.ts';

const there = (id: string, name: string, parentId: string | null): ExistingGroup => ({
  id,
  name,
  displayName: name,
  parentId,
  importedAs: null,
});

const existing = [there('r', 'Root', null), there('a', 'a', 'r'), there('b', 'b', 'a')];

let ids = 0;
const diffOf = (groups: Parameters<typeof planImport>[0]['groups']) => {
  const createId = () => {
    ids += 1;
    return `new-${ids}`;
  };
  const plan = planImport({ groups, existing, rootId: 'r', names: 'fit', createId });
  const { memberships } = plan;
  return createImportDiff({ plan, existing, members: ['zoe', 'ann'], memberships });
};

const groups = [
  { name: 'x y', parent: 'b', members: ['zoe', 'ann'] },
  { name: 'b', parent: null, display_name: 'B!', members: [] },
];

describe('createImportDiff', () => {
  it('says by name what is added, moved and renamed, sorted', () => {
    expect(diffOf(groups)).toEqual({
      groups_added: [{ name: 'x-y', display_name: 'x y', parent: 'b', imported_as: 'x y' }],
      groups_moved: [{ name: 'b', from: 'a', to: 'Root' }],
      groups_renamed: [{ name: 'b', from: 'b', to: 'B!' }],
      members_added: ['ann', 'zoe'],
      memberships_added: [
        { group: 'x-y', subject: 'ann' },
        { group: 'x-y', subject: 'zoe' },
      ],
    });
  });
});

describe('digestImportDiff', () => {
  const digest = digestImportDiff(diffOf(groups), ['ws', 'local']);

  it('is the same for the same changes: order and new ids don’t count', () => {
    expect(digestImportDiff(diffOf(groups.toReversed()), ['ws', 'local'])).toBe(digest);
  });

  it.each([
    ['another place', groups, ['ws', 'github']],
    ['a membership less', [{ ...groups[0], members: ['ann'] }, groups[1]], ['ws', 'local']],
    ['another display name', [groups[0], { ...groups[1], display_name: 'C' }], ['ws', 'local']],
  ])('differs with %s', (_, others, place) => {
    expect(digestImportDiff(diffOf(others as typeof groups), place)).not.toBe(digest);
  });
});
