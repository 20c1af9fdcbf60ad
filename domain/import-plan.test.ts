import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExistingGroup,
  IMPORT_LIMITS,
  type ImportedGroup,
  planImport,
  refuseImportSize,
} from './import-plan.ts';

const there = (
  id: string,
  name: string,
  parentId: string | null,
  displayName = name,
): ExistingGroup => ({ id, name, displayName, parentId, importedAs: null });

const existing: ExistingGroup[] = [
  there('r', 'WorkspaceMembers', null),
  there('a', 'WSAdmins', 'r'),
  there('t', 'Team', 'r', 'The team'),
  there('s', 'squad', 't'),
];

const plan = (
  groups: ImportedGroup[],
  before: readonly ExistingGroup[] = existing,
  names: 'refuse' | 'fit' = 'refuse',
) => {
  let next = 0;
  return planImport({
    groups,
    names,
    existing: before,
    rootId: 'r',
    createId: () => {
      next += 1;
      return `new-${next}-${before.length}`;
    },
  });
};

const group = (name: string, parent: string | null = null, members: string[] = []) => ({
  name,
  parent,
  members,
});

describe('planImport', () => {
  it('puts roots below the given group and resolves parents in the import and the workspace', () => {
    const { create, faults } = plan([group('x'), group('y', 'x'), group('z', 'Team')]);
    expect(faults).toEqual([]);
    const [x] = create;
    expect(create.map(({ name, parentId }) => [name, parentId])).toEqual([
      ['x', 'r'],
      ['y', x?.id],
      ['z', 't'],
    ]);
  });

  it('moves a group that is there, and keeps its display name unless told another', () => {
    expect(plan([group('squad')]).update).toEqual([
      { ...there('s', 'squad', 'r'), before: there('s', 'squad', 't') },
    ]);
    expect(plan([group('Team')])).toMatchObject({ create: [], update: [] });
    expect(plan([{ ...group('Team'), display_name: 'T' }]).update).toMatchObject([
      { displayName: 'T', parentId: 'r', before: { displayName: 'The team' } },
    ]);
  });

  it.each([
    ['a bad name', [group('../x')], [['groups', 0, 'name']]],
    ['a system name', [group('system:masters')], [['groups', 0, 'name']]],
    ['a look-alike', [group('аdmins')], [['groups', 0, 'name']]],
    ['300 characters', [group('x'.repeat(300))], [['groups', 0, 'name']]],
    ['a preset', [group('wsadmins')], [['groups', 0, 'name']]],
    ['a duplicate', [group('x'), group('x')], [['groups', 1, 'name']]],
    ['a duplicate by case', [group('x'), group('X')], [['groups', 1, 'name']]],
    ['a name that differs by case from one there', [group('TEAM')], [['groups', 0, 'name']]],
    ['an unknown parent', [group('x', 'y')], [['groups', 0, 'parent']]],
    ['its own parent', [group('x', 'x')], [['groups', 0, 'parent']]],
    [
      'a cycle, and not what hangs below it',
      [group('x', 'y'), group('y', 'x'), group('z', 'x')],
      [
        ['groups', 0, 'parent'],
        ['groups', 1, 'parent'],
      ],
    ],
    ['a cycle through a group that is there', [group('Team', 'squad')], [['groups', 0, 'parent']]],
    [
      'every fault at once',
      [group('a b'), group('x', 'nowhere'), group('WSUsers')],
      [
        ['groups', 0, 'name'],
        ['groups', 2, 'name'],
        ['groups', 1, 'parent'],
      ],
    ],
  ])('refuses %s, and plans nothing', (_, groups, paths) => {
    const result = plan(groups as ImportedGroup[]);
    expect(result.faults.map((fault) => fault.path)).toEqual(paths);
    expect(result).toMatchObject({ create: [], update: [], memberships: [] });
  });

  const forest = fc
    .array(fc.tuple(fc.nat(), fc.array(fc.constantFrom('ann', 'bob', 'cid'), { maxLength: 4 })), {
      maxLength: 30,
    })
    .map((nodes) =>
      nodes.map(([seed, members], i) =>
        group(`g${i}`, i === 0 || seed % 4 === 0 ? null : `g${seed % i}`, members),
      ),
    );

  it('accepts every forest, and plans nothing the second time', () => {
    fc.assert(
      fc.property(forest, (groups) => {
        const first = plan(groups);
        expect(first.faults).toEqual([]);
        expect(first.create).toHaveLength(groups.length);
        const second = plan(groups, [...existing, ...first.create]);
        expect(second).toMatchObject({ create: [], update: [], faults: [] });
        expect(second.memberships).toEqual(first.memberships);
      }),
    );
  });

  it('refuses a graph exactly when following parents from some group never ends', () => {
    const graph = fc
      .array(fc.option(fc.nat(), { freq: 5 }), { minLength: 1, maxLength: 12 })
      .map((parents) =>
        parents.map((parent, i, { length }) =>
          group(`g${i}`, parent === null ? null : `g${parent % length}`),
        ),
      );
    fc.assert(
      fc.property(graph, (groups) => {
        const parentOf = new Map(groups.map(({ name, parent }) => [name, parent]));
        const onCycle = groups.flatMap(({ name }, i) => {
          let at: string | null | undefined = parentOf.get(name);
          for (let step = 0; step < groups.length && at && at !== name; step += 1) {
            at = parentOf.get(at);
          }
          return at === name ? [i] : [];
        });
        expect(plan(groups).faults.map((fault) => fault.path[1])).toEqual(onCycle);
      }),
    );
  });
});

describe('names that no group can have', () => {
  it('are refused with a name that would do', () => {
    const { faults } = plan([
      group('sig release'),
      group('a/b'),
      group('Squad'),
      group('wsadmins'),
    ]);
    expect(faults).toMatchObject([
      { path: ['groups', 0, 'name'], suggestion: 'sig-release' },
      { path: ['groups', 1, 'name'], suggestion: 'a-b' },
      { path: ['groups', 2, 'name'], suggestion: expect.stringMatching(/^Squad-[0-9a-f]{8}$/) },
      { path: ['groups', 3, 'name'] },
    ]);
    expect(faults[3]).not.toHaveProperty('suggestion');
  });

  it('are made to fit, in groups and parents alike, and shown as the original', () => {
    const { create, faults } = plan(
      [
        group('sig release'),
        group('leads', 'sig release'),
        { ...group('日本'), display_name: 'J' },
      ],
      existing,
      'fit',
    );
    expect(faults).toEqual([]);
    expect(create).toMatchObject([
      { name: 'sig-release', displayName: 'sig release', importedAs: 'sig release' },
      { name: 'leads', displayName: 'leads', parentId: create[0]?.id, importedAs: null },
      { name: expect.stringMatching(/^group-/), displayName: 'J', importedAs: '日本' },
    ]);
  });

  it('find their groups again, whatever those are called by then, also as parents', () => {
    const first = plan([group('sig release'), group('sig/release')], existing, 'fit');
    const now = [...existing, ...first.create].map((each) =>
      each.importedAs ? { ...each, displayName: 'renamed by hand' } : each,
    );
    expect(plan([group('sig/release'), group('sig release')], now, 'fit')).toMatchObject({
      create: [],
      update: [],
      faults: [],
    });
    const [child] = plan([group('x', 'sig/release')], now, 'fit').create;
    expect(child?.parentId).toBe(first.create[1]?.id);
  });

  it('never meet a group that is there for another reason', () => {
    const { create } = plan([group('squad!')], existing, 'fit');
    expect(create).toMatchObject([{ name: expect.stringMatching(/^squad-[0-9a-f]{8}$/) }]);
  });

  it('are still refused when they are a preset’s or stand there twice', () => {
    const twice = [group('a b'), group('a b'), group('WSADMINS')];
    expect(plan(twice, existing, 'fit').faults.map(({ path }) => path)).toEqual([
      ['groups', 1, 'name'],
      ['groups', 2, 'name'],
    ]);
  });
});

describe('refuseImportSize', () => {
  const many = (count: number, members: string[] = []) =>
    Array.from({ length: count }, (_, i) => group(`g${i}`, null, members));

  it('states the limit that is passed', () => {
    expect(refuseImportSize(many(IMPORT_LIMITS.groups), [])).toBeNull();
    expect(refuseImportSize(many(IMPORT_LIMITS.groups + 1), [])).toContain('10000 groups');
    const ten = Array.from({ length: 10 }, (_, i) => `m${i}`);
    expect(refuseImportSize(many(10_000, ten), [])).toBeNull();
    expect(refuseImportSize(many(10_000, ten), ['one more'])).toContain('100000 memberships');
  });
});
