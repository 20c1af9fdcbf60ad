import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldGroupName, GroupName } from './group-name.ts';
import { fitImportNames, type KnownGroup } from './import-names.ts';

const known = (name: string, importedAs: string | null = null): KnownGroup => ({
  name,
  importedAs,
});

const fitNames = (names: string[], existing: KnownGroup[] = []) =>
  Object.fromEntries(fitImportNames(names, existing));

describe('fitImportNames', () => {
  it.each([
    ['a space', 'sig release', 'sig-release'],
    ['a slash', 'kubernetes/sig-node', 'kubernetes-sig-node'],
    ['marks', 'Équipe Développement', 'Equipe-Developpement'],
    ['full-width letters', 'ＡＢＣ', 'ABC'],
    ['what stands at the ends', '  «team»!! ', 'team'],
    ['a name that fits', 'Team_1.a-b', 'Team_1.a-b'],
    ['a system group', 'system:masters', 'system-masters'],
    ['a preset, to be refused', 'wsadmins', 'wsadmins'],
  ])('makes a name of %s', (_, name, expected) => {
    expect(fitNames([name])).toEqual({ [name]: expected });
  });

  it.each([
    ['letters of another script', 'аdmins', /^dmins-[0-9a-f]{8}$/],
    ['another script alone', '日本', /^group-[0-9a-f]{8}$/],
    ['300 letters', 'x'.repeat(300), /^x{54}-[0-9a-f]{8}$/],
  ])('lets a hash stand for what is lost of %s', (_, name, expected) => {
    expect(fitNames([name])[name]).toMatch(expected);
  });

  it.each(['日本', 'аdmins', '!', '', '🚀', 'x'.repeat(300), 'WSAdmins!'])(
    'makes a name of %j, its own and always the same',
    (name) => {
      const first = fitNames([name])[name];
      expect(GroupName.safeParse(first).success).toBe(true);
      expect(fitNames([name, 'other'])[name]).toBe(first);
      expect(first?.toLowerCase()).not.toBe('wsadmins');
    },
  );

  it('lets valid names be, and tells what clashes apart by its own hash', () => {
    const fitted = fitNames(['a b', 'a/b', 'a-b', 'A-B']);
    expect(fitted).toEqual({
      'A-B': 'A-B',
      'a-b': expect.stringMatching(/^a-b-[0-9a-f]{8}$/),
      'a b': expect.stringMatching(/^a-b-[0-9a-f]{8}$/),
      'a/b': expect.stringMatching(/^a-b-[0-9a-f]{8}$/),
    });
    expect(new Set(Object.values(fitted)).size).toBe(4);
  });

  it('finds groups by their name, then by the one they were imported as', () => {
    const existing = [known('a-b', 'a b'), known('c-d'), known('E')];
    expect(fitNames(['a b', 'c d', 'E', 'a-b'], existing)).toEqual({
      'a b': 'a-b',
      'a-b': 'a-b',
      'c d': expect.stringMatching(/^c-d-[0-9a-f]{8}$/),
      E: 'E',
    });
  });

  const name = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.stringMatching(/^[a-bA-B /!]{0,4}$/),
  );

  it('gives each name a valid one of its own, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name), (names) => {
        const fitted = fitImportNames(names, []);
        expect(fitted.size).toBe(names.length);
        for (const own of fitted.values()) expect(GroupName.safeParse(own).success).toBe(true);
        expect(new Set(Array.from(fitted.values(), foldGroupName)).size).toBe(names.length);
        expect(new Map([...fitImportNames(names.toReversed(), [])].sort())).toEqual(
          new Map([...fitted].sort()),
        );
      }),
    );
  });

  it('gives each name the same again, once its group is there, whatever else comes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.uniqueArray(name), (names, more) => {
        const first = fitImportNames(names, []);
        const existing = Array.from(first, ([original, own]) =>
          known(own, own === original ? null : original),
        );
        const second = fitImportNames([...more, ...names], existing);
        for (const [original, own] of first) expect(second.get(original)).toBe(own);
      }),
    );
  });
});
